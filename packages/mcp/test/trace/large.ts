import type { Span, Trace } from "../../src/trace/trace.js";
import { epochUnixMs, span, trace } from "./draw.js";

/**
 * A run of `spanCount` spans as a busy agent makes them: a session, agents below it, and below each
 * agent rounds of a model call and the tool it asked for. One round in 50 fails. Every 10th agent
 * works for the one before it, so the tree gets deep as well as wide.
 */
export function largeTrace(spanCount: number): Trace {
  const spans: Span[] = [span("session", { name: "run.session", durationMs: spanCount * 10 })];
  let agent = "session";
  while (spans.length < spanCount) {
    const i = spans.length;
    const at = { startUnixMs: epochUnixMs + i * 10, durationMs: 9 };
    if (i % 40 === 1) {
      const parentSpanId = i % 400 === 1 ? agent : "session";
      agent = `agent-${i}`;
      spans.push(
        span(agent, { ...at, parentSpanId, name: `Agent ${i % 7}.agent`, durationMs: 390 }),
      );
    } else if (i % 2 === 0) {
      spans.push(llmCall(`llm-${i}`, i, { ...at, parentSpanId: agent }));
    } else {
      spans.push(toolCall(`tool-${i}`, i, { ...at, parentSpanId: agent }));
    }
  }
  return trace(spans);
}

type Place = Pick<Span, "startUnixMs" | "durationMs" | "parentSpanId">;

function llmCall(spanId: string, i: number, place: Place): Span {
  return span(spanId, {
    ...place,
    name: "openai.chat.completion",
    status: "ok",
    attributes: {
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
      "gen_ai.prompt.0.role": "system",
      "gen_ai.prompt.0.content": "You plan.",
      "gen_ai.prompt.1.role": "user",
      "gen_ai.prompt.1.content": `Step ${i % 40}`,
      "gen_ai.completion.0.role": "assistant",
      "gen_ai.completion.0.content": "Done.",
      "gen_ai.usage.prompt_tokens": String(100 + (i % 40) * 10),
      "gen_ai.usage.completion_tokens": "20",
      "gen_ai.usage.prompt_cost": "0.000015",
      "gen_ai.usage.completion_cost": "0.000012",
    },
  });
}

function toolCall(spanId: string, i: number, place: Place): Span {
  const hasFailed = i % 50 === 3;
  return span(spanId, {
    ...place,
    name: "search.tool",
    status: hasFailed ? "error" : "unset",
    statusMessage: hasFailed ? `TimeoutError: no answer after ${i} ms` : "",
    attributes: {
      "agentops.span.kind": "tool",
      "operation.name": "search",
      "agentops.tool.input": `{"args": ["query ${i % 25}"], "kwargs": {}}`,
      "agentops.tool.output": '"nothing"',
    },
  });
}

/** Milliseconds of the processor, so that a busy machine does not fail the test. */
export function spentMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
