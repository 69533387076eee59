import {
  attributeKeys as keys,
  kindsByDeclaration,
  kindsByNamePattern,
  kindsByOperation,
  kindsBySuffix,
  MAX_SPAN_COST_USD,
  nameDecoration,
  USD_DECIMALS,
} from "mcp-server-agentops-api/semconv";
import { quoted } from "./quoted.js";

/**
 * What the engine derives from a span's attributes on insert, because summing tokens over ten million
 * spans must not read ten million prompts. The names and rules are those of the MCP server's span
 * tree (`packages/mcp/src/trace`), as far as one span can tell; a test holds the two together.
 */

export const attribute = (key: string) => `SpanAttributes['${key}']`;
/** The first of these attributes that has a value; an empty value counts as absent. */
const firstOf = (names: readonly string[]) => firstText(names.map(attribute));
const firstText = (texts: readonly string[]) =>
  `coalesce(${[...texts.slice(0, -1).map((text) => `nullIf(${text}, '')`), ...texts.slice(-1)].join(", ")})`;

/**
 * Attribute text is whatever an SDK wrote: `12`, `12.0`, `None`, `1e308`. What cannot be true counts as
 * 0: `UInt32` is MAX_SPAN_TOKENS. Each mention of a text is analysed anew with every insert, a tenth of a millisecond.
 */
const count = (text: string) => `accurateCastOrDefault(toFloat64OrZero(${text}), 'UInt32')`;
const usd = (text: string) =>
  `if(toFloat64OrZero(${text}) BETWEEN 0 AND ${MAX_SPAN_COST_USD}, toFloat64OrZero(${text}), 0)`;

const list = (texts: readonly string[]) => `[${texts.map(quoted).join(", ")}]`;
/** Looks a text up; empty where it is not known. */
const lookUp = (text: string, known: ReadonlyMap<string, string>) =>
  `transform(${text}, ${list([...known.keys()])}, ${list([...known.values()])}, '')`;

const model = firstOf(keys.model);
const toolName = firstOf(keys.toolName);
const agentName = firstOf(keys.agentName);
const entityName = firstText([
  ...keys.entityName.map(attribute),
  `replaceRegexpAll(SpanName, ${quoted(nameDecoration.source)}, '')`,
  "SpanName",
]);

const declaredWord = `lower(${firstOf(keys.kind)})`;

/** Declared, else by name, else by what the attributes imply. */
const agentopsKind = firstText([
  lookUp(declaredWord, kindsByDeclaration),
  // A kind is refined with a dot: `tool.usage`, `agent.action`.
  lookUp(`splitByChar('.', ${declaredWord})[1]`, kindsByDeclaration),
  lookUp(firstOf(keys.operation), kindsByOperation),
  lookUp("splitByChar('.', SpanName)[-1]", kindsBySuffix),
  `multiIf(${kindsByNamePattern
    .map(([pattern, kind]) => `match(SpanName, ${quoted(pattern.source)}), '${kind}'`)
    .join(", ")}, '')`,
  `if(${firstOf(keys.fromAgent)} != '' AND ${firstOf(keys.toAgent)} != '', 'handoff', '')`,
  `if(${firstOf(keys.stepType)} = 'trace', 'workflow', '')`,
  `if(${firstOf(keys.guardrailSpec)} != '', 'guardrail', '')`,
  `if(${toolName} != '', 'tool', '')`,
  `if(Model != '', 'llm', 'unknown')`,
]);

const totalTokens = firstOf(keys.totalTokens);
const totalCost = firstOf(keys.totalCostUsd);
const promptCost = firstOf(keys.promptCostUsd);
const completionCost = firstOf(keys.completionCostUsd);

/** The figures that summaries sum, and the API answers under `metrics`. */
export const usageFigures = [
  ["PromptTokens", "UInt64", count(firstOf(keys.inputTokens))],
  ["CompletionTokens", "UInt64", count(firstOf(keys.outputTokens))],
  ["CacheReadTokens", "UInt64", count(firstOf(keys.cacheReadTokens))],
  ["ReasoningTokens", "UInt64", count(firstOf(keys.reasoningTokens))],
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
    `round(if(${totalCost} != '', ${usd(totalCost)}, PromptCost + CompletionCost), ${USD_DECIMALS})`,
  ],
] as const;

export const derivedColumns = [
  ["Model", "LowCardinality(String)", model],
  ["AgentopsKind", "LowCardinality(String)", agentopsKind],
  // A span below an agent's works for it, but only the tree knows that: this is the span's own claim.
  [
    "AgentName",
    "LowCardinality(String)",
    `if(${agentName} = '' AND AgentopsKind = 'agent', ${firstText([firstOf(keys.agentRole), entityName])}, ${agentName})`,
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

/** Of a span: it reports tokens but no cost. */
export const isUnpriced = "TotalTokens > 0 AND NOT HasCost";

/**
 * All that a text search looks through: the name, the status message, and the values of attributes
 * and event attributes, in lower case. Between them is a NUL, which is not looked for.
 */
export const searchText =
  "lowerUTF8(arrayStringConcat(arrayConcat([SpanName, StatusMessage], mapValues(SpanAttributes), arrayFlatten(arrayMap(event -> mapValues(event), `Events.Attributes`))), '\\0'))";
