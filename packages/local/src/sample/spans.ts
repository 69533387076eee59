import { SpanKind } from "@opentelemetry/api";
import type { RaisedError, SampleSpan } from "./sample-span.js";

/** Builders of the spans that AgentOps' SDK records, with its own names and attributes. */

type Children = readonly SampleSpan[];

export function session(
  name: string,
  options: { tags: string[]; children: Children; error?: RaisedError },
): SampleSpan {
  const { tags, children, error } = options;
  return {
    name: `${name}.session`,
    attributes: {
      "agentops.span.kind": "session",
      "operation.name": name,
      "agentops.tags": tags,
      "agentops.session.end_state": error ? "Error" : "Success",
    },
    selfMs: 12,
    children,
    ...raised(error),
  };
}

export function agent(
  name: string,
  options: { model: string; tools: string[]; children: Children; error?: RaisedError },
): SampleSpan {
  const { model, tools, children, error } = options;
  return {
    name: `${name}.agent`,
    attributes: {
      "agentops.span.kind": "agent",
      "agent.name": name,
      "agent.tools": JSON.stringify(tools),
      "agent.models": model,
    },
    selfMs: 8,
    children,
    ...raised(error),
  };
}

export function task(name: string, options: { input: object; children: Children }): SampleSpan {
  return {
    name: `${name}.task`,
    attributes: {
      "agentops.span.kind": "task",
      "operation.name": name,
      "agentops.task.input": JSON.stringify({ args: [], kwargs: options.input }),
    },
    selfMs: 3,
    children: options.children,
  };
}

export interface Message {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
}

export function chat(options: {
  model: string;
  prompt: readonly Message[];
  completion: string;
  promptTokens: number;
  completionTokens: number;
  durationMs: number;
}): SampleSpan {
  const { model, prompt, completion, promptTokens, completionTokens, durationMs } = options;
  return {
    name: "openai.chat.completion",
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.system": "OpenAI",
      "gen_ai.request.type": "chat",
      "gen_ai.request.model": model,
      "gen_ai.request.streaming": false,
      "gen_ai.response.model": model,
      ...messages(prompt),
      "gen_ai.completion.0.role": "assistant",
      "gen_ai.completion.0.content": completion,
      "gen_ai.completion.0.finish_reason": "stop",
      "gen_ai.usage.prompt_tokens": promptTokens,
      "gen_ai.usage.completion_tokens": completionTokens,
      "gen_ai.usage.total_tokens": promptTokens + completionTokens,
    },
    delayMs: 4,
    selfMs: durationMs,
    outcome: { kind: "ok" },
  };
}

export function tool(
  name: string,
  options: { input: object; durationMs: number; result?: unknown; error?: RaisedError },
): SampleSpan {
  const { input, durationMs, result, error } = options;
  const text = JSON.stringify(result) ?? "";
  return {
    name: `${name}.tool`,
    attributes: {
      "agentops.span.kind": "tool",
      "operation.name": name,
      "tool.name": name,
      "tool.parameters": JSON.stringify(input),
      "agentops.tool.input": JSON.stringify({ args: [], kwargs: input }),
      ...(error
        ? { "tool.status": "failed" }
        : { "tool.status": "succeeded", "tool.result": text }),
    },
    delayMs: 2,
    selfMs: durationMs,
    ...raised(error),
  };
}

function raised(error: RaisedError | undefined): Pick<SampleSpan, "outcome"> {
  return error ? { outcome: { kind: "raised", error } } : {};
}

function messages(prompt: readonly Message[]): Record<string, string> {
  return Object.fromEntries(
    prompt.flatMap(({ role, content }, index) => [
      [`gen_ai.prompt.${index}.role`, role],
      [`gen_ai.prompt.${index}.content`, content],
    ]),
  );
}
