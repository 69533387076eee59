import { attributeKeys, firstCount, firstUsd } from "./semconv.js";
import type { Span } from "./trace.js";
import { roundUsd } from "./usd.js";

/**
 * Token counts. Cache and reasoning tokens are parts of `input` and `output` and are not added to
 * `total`, except where the instrumentation reported a total of its own.
 */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
  readonly reasoning: number;
  readonly total: number;
}

export interface Cost {
  /** Undefined where nothing reported a cost, which is not the same as free. */
  readonly costUsd: number | undefined;
  /** Spans with tokens but no cost, which `costUsd` leaves out; undefined where nobody counted them. */
  readonly unpricedCount: number | undefined;
}

export interface Usage extends Cost {
  readonly tokens: Tokens;
  readonly unpricedCount: number;
}

/** Undefined unless all of it is known; 0 where nothing was used. */
export function knownCostUsd({ costUsd, unpricedCount }: Cost): number | undefined {
  return unpricedCount === 0 ? (costUsd ?? 0) : undefined;
}

export const noUsage: Usage = {
  tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, total: 0 },
  costUsd: undefined,
  unpricedCount: 0,
};

/** Undefined where the span reports no tokens. */
export function tokensOf(span: Span): Tokens | undefined {
  const read = (keys: readonly string[]) => firstCount(span.attributes, keys);
  const input = read(attributeKeys.inputTokens);
  const output = read(attributeKeys.outputTokens);
  const total = read(attributeKeys.totalTokens);
  if (input === undefined && output === undefined && total === undefined) return undefined;
  return {
    input: input ?? 0,
    output: output ?? 0,
    cacheRead: read(attributeKeys.cacheReadTokens) ?? 0,
    cacheWrite: read(attributeKeys.cacheWriteTokens) ?? 0,
    reasoning: read(attributeKeys.reasoningTokens) ?? 0,
    total: total ?? (input ?? 0) + (output ?? 0),
  };
}

/** The cost on the span itself, in USD: a total overrides the sum of its parts, as it does for AgentOps. */
export function costUsdOf(span: Span): number | undefined {
  const total = firstUsd(span.attributes, attributeKeys.totalCostUsd);
  if (total !== undefined) return total;
  const prompt = firstUsd(span.attributes, attributeKeys.promptCostUsd);
  const completion = firstUsd(span.attributes, attributeKeys.completionCostUsd);
  if (prompt === undefined && completion === undefined) return undefined;
  return roundUsd((prompt ?? 0) + (completion ?? 0));
}

/** {@link noUsage} itself where the span reports neither tokens nor cost. */
export function usageOf(span: Span): Usage {
  const tokens = tokensOf(span);
  const costUsd = costUsdOf(span);
  if (tokens === undefined && costUsd === undefined) return noUsage;
  const isUnpriced = tokens !== undefined && tokens.total > 0 && costUsd === undefined;
  return { tokens: tokens ?? noUsage.tokens, costUsd, unpricedCount: isUnpriced ? 1 : 0 };
}

export function addUsage(a: Usage, b: Usage): Usage {
  if (a === noUsage) return b;
  return b === noUsage ? a : combine(a, b, (x, y) => x + y);
}

/**
 * What a span reports and what the spans below it do, where the one may be the sum of the other: the
 * larger of both. Tokens without a cost count as unpriced only where there are more than below.
 */
export function maxUsage(reported: Usage, below: Usage): Usage {
  if (reported === noUsage) return below;
  if (below === noUsage) return reported;
  const addsTokens = reported.tokens.total > below.tokens.total;
  const unpricedCount = below.unpricedCount + (addsTokens ? reported.unpricedCount : 0);
  return { ...combine(reported, below, Math.max), unpricedCount };
}

/** `whole` without `part`; {@link noUsage} itself where nothing is left to account for. */
export function subtractUsage(whole: Usage, part: Usage): Usage {
  if (whole === part) return noUsage;
  return part === noUsage ? whole : combine(whole, part, (x, y) => x - y);
}

export function sumUsage(usages: Iterable<Usage>): Usage {
  let sum = noUsage;
  for (const usage of usages) sum = addUsage(sum, usage);
  return sum;
}

function combine(a: Usage, b: Usage, apply: (x: number, y: number) => number): Usage {
  const of = (key: keyof Tokens) => apply(a.tokens[key], b.tokens[key]);
  const isUnknown = a.costUsd === undefined && b.costUsd === undefined;
  return {
    tokens: {
      input: of("input"),
      output: of("output"),
      cacheRead: of("cacheRead"),
      cacheWrite: of("cacheWrite"),
      reasoning: of("reasoning"),
      total: of("total"),
    },
    costUsd: isUnknown ? undefined : apply(a.costUsd ?? 0, b.costUsd ?? 0),
    unpricedCount: apply(a.unpricedCount, b.unpricedCount),
  };
}
