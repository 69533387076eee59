import type { Attributes, Span } from "./trace.js";

/** What a run records of itself as it ends, from good to bad; of several the worst counts. */
export const endStates = { Success: 1, Indeterminate: 2, Fail: 3, Error: 3 } as const;

/**
 * Every attribute key we read, newest name first. The OpenTelemetry GenAI conventions are still in
 * development and were renamed twice; AgentOps' SDK emits the older names and some of its own.
 */
export const attributeKeys = {
  kind: ["agentops.span.kind", "span.kind"],
  operation: ["gen_ai.operation.name"],
  model: [
    "gen_ai.response.model",
    "gen_ai.request.model",
    "llm.response.model",
    "llm.request.model",
    "llm.model",
  ],
  requestModel: ["gen_ai.request.model", "llm.request.model"],
  provider: ["gen_ai.provider.name", "gen_ai.system"],
  inputTokens: ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"],
  outputTokens: ["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"],
  cacheReadTokens: ["gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"],
  cacheWriteTokens: [
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
  ],
  reasoningTokens: ["gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"],
  totalTokens: ["gen_ai.usage.total_tokens", "llm.usage.total_tokens"],
  totalCostUsd: ["gen_ai.usage.total_cost", "llm.cost"],
  promptCostUsd: ["gen_ai.usage.prompt_cost"],
  completionCostUsd: ["gen_ai.usage.completion_cost"],
  agentName: ["gen_ai.agent.name", "agent.name"],
  agentRole: ["agent.role"],
  entityName: ["operation.name", "agentops.entity.name"],
  toolName: ["gen_ai.tool.name", "tool.name"],
  toolCallId: ["gen_ai.tool.call.id", "tool.call.id", "tool.call_id"],
  toolArguments: ["gen_ai.tool.call.arguments", "tool.parameters", "agentops.tool.input"],
  toolResult: ["gen_ai.tool.call.result", "tool.result", "agentops.tool.output"],
  systemInstructions: [
    "gen_ai.system_instructions",
    "gen_ai.request.instructions",
    "gen_ai.request.system_instruction",
    "gen_ai.openai.instructions",
  ],
  inputMessages: ["gen_ai.input.messages", "gen_ai.prompt"],
  outputMessages: ["gen_ai.output.messages", "gen_ai.completion"],
  finishReasons: [
    "gen_ai.response.finish_reasons",
    "gen_ai.response.finish_reason",
    "gen_ai.response.stop_reason",
    "llm.response.finish_reason",
    "llm.response.stop_reason",
  ],
  input: [
    "agentops.entity.input",
    "agentops.task.input",
    "agentops.agent.input",
    "agentops.workflow.input",
    "agentops.guardrail.input",
    "workflow.input",
  ],
  output: [
    "agentops.entity.output",
    "agentops.task.output",
    "agentops.agent.output",
    "agentops.workflow.output",
    "agentops.guardrail.output",
    "workflow.final_output",
    "workflow.output",
  ],
  errorType: ["exception.type", "error.type"],
  errorMessage: ["exception.message", "error.message"],
  stacktrace: ["exception.stacktrace"],
  fromAgent: ["from_agent"],
  toAgent: ["to_agent"],
  stepType: ["workflow.step.type"],
  guardrailSpec: ["agentops.guardrail.spec"],
  endState: ["agentops.session.end_state"],
} as const satisfies Record<string, readonly string[]>;

/** What the keys of request parameters begin with, newest first. */
export const requestPrefixes = ["gen_ai.request.", "gen_ai.openai.request.", "llm.request."];

/** The first of `keys` that has a value; an empty value counts as absent, as it does for AgentOps. */
export function firstText(attributes: Attributes, keys: readonly string[]): string | undefined {
  for (const key of keys) {
    const value = attributes[key];
    if (value) return value;
  }
  return undefined;
}

/** Far above any span's real figures, and low enough that sums over 10^9 spans overflow nothing. */
export const MAX_SPAN_TOKENS = 2 ** 32 - 1;
export const MAX_SPAN_COST_USD = 1_000_000;

/** A count of tokens under the first of `keys` that has a number; what cannot be true counts as 0. */
export function firstCount(attributes: Attributes, keys: readonly string[]): number | undefined {
  const count = firstNumber(attributes, keys);
  if (count === undefined) return undefined;
  return Number.isInteger(count) && isWithin(count, MAX_SPAN_TOKENS) ? count : 0;
}

/** A cost in USD, likewise. */
export function firstUsd(attributes: Attributes, keys: readonly string[]): number | undefined {
  const usd = firstNumber(attributes, keys);
  if (usd === undefined) return undefined;
  return isWithin(usd, MAX_SPAN_COST_USD) ? usd : 0;
}

const isWithin = (figure: number, most: number) => figure >= 0 && figure <= most;

/** As {@link firstText}, skipping values that are no number, such as Python's `None`. */
function firstNumber(attributes: Attributes, keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const text = attributes[key];
    const value = text ? Number(text) : Number.NaN;
    if (Number.isFinite(value)) return value;
  }
  return undefined;
}

/** The model that answered, else the one asked for. */
export function modelOf(span: Span): string | undefined {
  return firstText(span.attributes, attributeKeys.model);
}
