/**
 * What the engine derives from a span's attributes on insert, because summing tokens over ten million
 * spans must not read ten million prompts. The rules are those of the MCP server's span tree
 * (`packages/mcp/src/trace`), as far as one span can tell; a test holds the two together.
 */

export const attribute = (key: string) => `SpanAttributes['${key}']`;
/** The first of these attributes that has a value; an empty value counts as absent. */
const firstOf = (...keys: string[]) => firstText(keys.map(attribute));
const firstText = (texts: readonly string[]) =>
  `coalesce(${texts.map((text) => `nullIf(${text}, '')`).join(", ")}, '')`;
/** Far above any span's real figures, and low enough that sums over 10^9 spans overflow nothing. */
export const MAX_SPAN_TOKENS = 1_000_000_000;
export const MAX_SPAN_COST_USD = 1_000_000;

/** Attribute text is whatever an SDK wrote: `12`, `12.0`, `None`, `1e308`. What cannot be true counts as 0. */
const figure = (text: string, max: number) =>
  `if(toFloat64OrZero(${text}) BETWEEN 0 AND ${max}, toFloat64OrZero(${text}), 0)`;
const count = (text: string) => `accurateCastOrDefault(${figure(text, MAX_SPAN_TOKENS)}, 'UInt64')`;
const usd = (text: string) => figure(text, MAX_SPAN_COST_USD);

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const list = (texts: readonly string[]) => `[${texts.map(quoted).join(", ")}]`;
/** Looks a text up; empty where it is not known. */
const lookUp = (text: string, known: Readonly<Record<string, string>>) =>
  `transform(${text}, ${list(Object.keys(known))}, ${list(Object.values(known))}, '')`;

/** Spellings in `agentops.span.kind` and at the end of span names. */
const kindsByWord = {
  session: "session",
  workflow: "workflow",
  agent: "agent",
  task: "task",
  operation: "task",
  "workflow.step": "task",
  chain: "chain",
  llm: "llm",
  request: "llm",
  tool: "tool",
  tool_usage: "tool",
  handoff: "handoff",
  guardrail: "guardrail",
  http: "http",
};

const kindsByOperation = {
  chat: "llm",
  generate_content: "llm",
  text_completion: "llm",
  embeddings: "llm",
  execute_tool: "tool",
  create_agent: "agent",
  invoke_agent: "agent",
  invoke_workflow: "workflow",
};

const kindsByNamePattern = [
  ["^(tool_call\\.|tool[.:]|adk\\.tool\\.|execute_tool )", "tool"],
  ["^(agent[.:]|adk\\.agent\\.|invoke_agent )", "agent"],
  ["^adk\\.llm\\.", "llm"],
  ["^(openai|anthropic|gemini|watsonx)\\.(chat|responses|completions?|embeddings|generate)", "llm"],
  ["^(openai|anthropic)\\.messages\\.(create|stream)$", "llm"],
  ["^langgraph\\.(graph|workflow)\\.", "workflow"],
  ["^langgraph\\.node\\.", "llm"],
] as const;

/** What instrumentations add to a name to say the span's kind: `search.tool` is `search`. */
const decoration =
  "^(tool_call\\.|tool[.:]|agent[.:]|adk\\.(agent|tool|llm)\\.|ag2\\.agent\\.|execute_tool |invoke_agent )|(\\.agno\\.(agent|team))?(\\.run)?\\.(session|workflow|agent|task|operation|tool|tool_usage|llm|chain|guardrail)$";

const model = firstOf(
  "gen_ai.response.model",
  "gen_ai.request.model",
  "llm.response.model",
  "llm.request.model",
  "llm.model",
);
const toolName = firstOf("gen_ai.tool.name", "tool.name");
const agentName = firstOf("gen_ai.agent.name", "agent.name");
const entityName = firstText([
  attribute("operation.name"),
  attribute("agentops.entity.name"),
  `replaceRegexpAll(SpanName, ${quoted(decoration)}, '')`,
  "SpanName",
]);

const declaredWord = `lower(${firstOf("agentops.span.kind", "span.kind")})`;

/** Declared, else by name, else by what the attributes imply. */
const agentopsKind = firstText([
  lookUp(declaredWord, kindsByWord),
  // A kind is refined with a dot: `tool.usage`, `agent.action`.
  lookUp(`splitByChar('.', ${declaredWord})[1]`, kindsByWord),
  lookUp(attribute("gen_ai.operation.name"), kindsByOperation),
  lookUp("splitByChar('.', SpanName)[-1]", kindsByWord),
  `multiIf(${kindsByNamePattern
    .map(([pattern, kind]) => `match(SpanName, ${quoted(pattern)}), '${kind}'`)
    .join(", ")}, '')`,
  `if(${attribute("from_agent")} != '' AND ${attribute("to_agent")} != '', 'handoff', '')`,
  `if(${attribute("workflow.step.type")} = 'trace', 'workflow', '')`,
  `if(${attribute("agentops.guardrail.spec")} != '', 'guardrail', '')`,
  `if(${toolName} != '', 'tool', '')`,
  `if(Model != '', 'llm', 'unknown')`,
]);

const totalTokens = firstOf("gen_ai.usage.total_tokens", "llm.usage.total_tokens");
const totalCost = firstOf("gen_ai.usage.total_cost", "llm.cost");
const promptCost = attribute("gen_ai.usage.prompt_cost");
const completionCost = attribute("gen_ai.usage.completion_cost");

/** The figures that summaries sum, and the API answers under `metrics`. */
export const usageFigures = [
  [
    "PromptTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")),
  ],
  [
    "CompletionTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")),
  ],
  [
    "CacheReadTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens")),
  ],
  [
    "ReasoningTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens")),
  ],
  // Cached and reasoning tokens are part of the prompt and the completion: adding them counts twice.
  [
    "TotalTokens",
    "UInt64",
    `if(${totalTokens} != '', ${count(totalTokens)}, PromptTokens + CompletionTokens)`,
  ],
  ["PromptCost", "Float64", usd(promptCost)],
  ["CompletionCost", "Float64", usd(completionCost)],
  [
    "TotalCost",
    "Float64",
    `if(${totalCost} != '', ${usd(totalCost)}, PromptCost + CompletionCost)`,
  ],
] as const;

export const derivedColumns = [
  ["Model", "LowCardinality(String)", model],
  ["AgentopsKind", "LowCardinality(String)", agentopsKind],
  // A span below an agent's works for it, but only the tree knows that: this is the span's own claim.
  [
    "AgentName",
    "LowCardinality(String)",
    `if(${agentName} = '' AND AgentopsKind = 'agent', ${firstText([attribute("agent.role"), entityName])}, ${agentName})`,
  ],
  [
    "ToolName",
    "LowCardinality(String)",
    `if(AgentopsKind = 'tool', ${firstText([toolName, entityName])}, '')`,
  ],
  ...usageFigures,
  // No cost is not the same as free.
  ["HasCost", "Bool", `concat(${totalCost}, ${promptCost}, ${completionCost}) != ''`],
] as const;

/**
 * All that a text search looks through: the name, the status message, and the values of attributes
 * and event attributes, in lower case.
 */
export const searchText =
  "lowerUTF8(arrayStringConcat(arrayConcat([SpanName, StatusMessage], mapValues(SpanAttributes), arrayFlatten(arrayMap(event -> mapValues(event), `Events.Attributes`))), '\\n'))";
