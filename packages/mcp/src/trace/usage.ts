import { attributeKeys, firstNumber } from "./semconv.js";
import type { Span } from "./trace.js";

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

export interface Usage {
  readonly tokens: Tokens;
  /** Undefined where nothing reported a cost, which is not the same as free. */
  readonly costUsd: number | undefined;
}

/** In USD; 0 where nothing was used, and undefined where tokens were and nothing reported their cost. */
export function knownCostUsd(usage: {
  readonly tokens: Pick<Tokens, "total">;
  readonly costUsd: number | undefined;
}): number | undefined {
  return usage.costUsd ?? (usage.tokens.total > 0 ? undefined : 0);
}

export const noUsage: Usage = {
  tokens: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, total: 0 },
  costUsd: undefined,
};

/** Undefined where the span reports no tokens. */
export function tokensOf(span: Span): Tokens | undefined {
  const read = (keys: readonly string[]) => firstNumber(span.attributes, keys);
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
  const total = firstNumber(span.attributes, attributeKeys.totalCostUsd);
  if (total !== undefined) return total;
  const prompt = firstNumber(span.attributes, attributeKeys.promptCostUsd);
  const completion = firstNumber(span.attributes, attributeKeys.completionCostUsd);
  if (prompt === undefined && completion === undefined) return undefined;
  return (prompt ?? 0) + (completion ?? 0);
}

/** {@link noUsage} itself where the span reports neither tokens nor cost. */
export function usageOf(span: Span): Usage {
  const tokens = tokensOf(span);
  const costUsd = costUsdOf(span);
  if (tokens === undefined && costUsd === undefined) return noUsage;
  return { tokens: tokens ?? noUsage.tokens, costUsd };
}

export function addUsage(a: Usage, b: Usage): Usage {
  if (a === noUsage) return b;
  return b === noUsage ? a : combine(a, b, (x, y) => x + y);
}

export function maxUsage(a: Usage, b: Usage): Usage {
  if (a === noUsage) return b;
  return b === noUsage ? a : combine(a, b, Math.max);
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
  const isUnpriced = a.costUsd === undefined && b.costUsd === undefined;
  return {
    tokens: {
      input: of("input"),
      output: of("output"),
      cacheRead: of("cacheRead"),
      cacheWrite: of("cacheWrite"),
      reasoning: of("reasoning"),
      total: of("total"),
    },
    costUsd: isUnpriced ? undefined : apply(a.costUsd ?? 0, b.costUsd ?? 0),
  };
}
