import { attributeKeys, roundUsd } from "mcp-server-agentops-api/semconv";
import {
  type SpanGroup,
  type SpanRecord,
  type Text,
  textToString,
  type Utf8,
} from "../store/index.js";
import { loadPrices, type ModelCall, type PriceCall } from "./model-prices.js";

/** Adds to every span that called a model, and does not say what that cost, what it cost. */
export type PriceSpans = (groups: readonly SpanGroup[]) => Promise<readonly SpanGroup[]>;

/**
 * The costs that AgentOps' collector adds as a span arrives, under its names: in USD, as decimal text.
 * A model without a known price adds none.
 */
export function createPricing(): PriceSpans {
  let prices: Promise<PriceCall> | undefined;

  return async (groups) => {
    const calls = groups.map(({ spans }) => spans.map(readCall));
    if (!calls.some((ofGroup) => ofGroup.some((call) => call !== undefined))) return groups;

    prices ??= loadPrices();
    const price = await prices;
    return groups.map((group, at) => ({
      ...group,
      spans: group.spans.map((span, index) => withCost(span, calls[at]?.[index], price)),
    }));
  };
}

function withCost(span: SpanRecord, call: ModelCall | undefined, price: PriceCall): SpanRecord {
  const cost = call && price(call);
  if (!cost) return span;
  const costs = [
    [attributeKeys.promptCostUsd[0], String(roundUsd(cost.promptUsd))],
    [attributeKeys.completionCostUsd[0], String(roundUsd(cost.completionUsd))],
  ] as const;
  // Of a key that is there twice the engine reads the first, and readers of JSON the last: what came makes way.
  const others = span.attributes.filter(
    ([key]) => !costs.some(([name]) => name.length === key.length && name === textToString(key)),
  );
  return { ...span, attributes: [...others, ...costs] };
}

/** What is read of a span. */
const keys = {
  model: attributeKeys.model,
  provider: attributeKeys.provider,
  inputTokens: attributeKeys.inputTokens,
  outputTokens: attributeKeys.outputTokens,
  cacheReadTokens: attributeKeys.cacheReadTokens,
  cacheWriteTokens: attributeKeys.cacheWriteTokens,
  reasoningTokens: attributeKeys.reasoningTokens,
  totalTokens: attributeKeys.totalTokens,
  cost: [
    ...attributeKeys.totalCostUsd,
    ...attributeKeys.promptCostUsd,
    ...attributeKeys.completionCostUsd,
  ],
  kind: [...attributeKeys.operation, ...attributeKeys.kind],
};

/** Spans around calls, which repeat what the calls beneath them used. */
const aggregates = ["invoke_agent", "create_agent", "agent", "workflow", "session"];

/** Undefined if there is nothing to price. */
function readCall(span: SpanRecord): ModelCall | undefined {
  const found = readAttributes(span);
  const model = found && first(found, keys.model);
  if (!model || first(found, keys.cost)) return undefined;
  const counts = readCounts(found);
  if (counts.inputTokens + counts.outputTokens === 0 || isAggregate(found)) return undefined;
  return {
    model,
    provider: first(found, keys.provider),
    ...counts,
    ...wholes(counts),
    startUnixNano: span.startUnixNano,
  };
}

function isAggregate(found: Found): boolean {
  return aggregates.includes(first(found, keys.kind) ?? "");
}

function readCounts(found: Found) {
  return {
    inputTokens: count(found, keys.inputTokens),
    cacheReadTokens: count(found, keys.cacheReadTokens),
    cacheWriteTokens: count(found, keys.cacheWriteTokens),
    outputTokens: count(found, keys.outputTokens),
    reasoningTokens: count(found, keys.reasoningTokens),
    totalTokens: count(found, keys.totalTokens),
  };
}

/**
 * The conventions count cached and reasoning tokens as parts of the input and the output; Anthropic's
 * and Google's own figures, which some senders copy, leave them out. They do so where a part is more than
 * the whole, and where the total is the sum only with the cached ones: all of them, or those that were read.
 */
function wholes(counts: ReturnType<typeof readCounts>) {
  const { inputTokens, cacheReadTokens, cacheWriteTokens, totalTokens } = counts;
  const { outputTokens: output, reasoningTokens: reasoning } = counts;
  const cached = cacheReadTokens + cacheWriteTokens;
  const outputTokens = reasoning > output ? output + reasoning : output;
  const isApart =
    cached > inputTokens ||
    [cached, cacheReadTokens].some(
      (part) => part > 0 && inputTokens + part + outputTokens === totalTokens,
    );
  return { inputTokens: isApart ? inputTokens + cached : inputTokens, outputTokens };
}

type Found = ReadonlyMap<string, Text>;

/** An empty value counts as absent. */
function first(found: Found, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = found.get(name);
    if (value?.length) return textToString(value);
  }
  return undefined;
}

function count(found: Found, names: readonly string[]): number {
  const tokens = Number(first(found, names) ?? 0);
  return Number.isFinite(tokens) && tokens > 0 ? tokens : 0;
}

interface ReadKey {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** By length, which alone tells most keys apart: comparing bytes is cheap, decoding every key is not. */
const readKeys = new Map<number, ReadKey[]>();
for (const name of Object.values(keys).flat()) {
  const bytes = new TextEncoder().encode(name);
  readKeys.set(bytes.length, [...(readKeys.get(bytes.length) ?? []), { name, bytes }]);
}

/** Undefined if the span has none of the attributes that we read. */
function readAttributes({ attributes }: SpanRecord): Found | undefined {
  let found: Map<string, Text> | undefined;
  for (const [key, value] of attributes) {
    const read = readKeys
      .get(key.length)
      ?.find(({ name, bytes }) => (typeof key === "string" ? key === name : isEqual(key, bytes)));
    if (read) found = (found ?? new Map()).set(read.name, value);
  }
  return found;
}

/** From the end: the keys begin alike. */
function isEqual({ message, start }: Utf8, bytes: Uint8Array): boolean {
  for (let index = bytes.length - 1; index >= 0; index--) {
    if (message[start + index] !== bytes[index]) return false;
  }
  return true;
}
