import { type ErrorChain, errorChains } from "./errors.js";
import { summarizeTrace } from "./summary.js";
import { endUnixMs } from "./trace.js";
import { byStart, type SpanTree } from "./tree.js";
import { addUsage, noUsage, subtractUsage, type Usage } from "./usage.js";

/** What a trace went through in a stretch of time; a span counts where it started. */
export interface Spend {
  readonly durationMs: number;
  readonly spanCount: number;
  readonly usage: Usage;
}

/** Sums up once, so that any number of stretches can be asked for. `untilUnixMs` is not included. */
export function createSpendMeter(
  tree: SpanTree,
): (fromUnixMs: number, untilUnixMs: number) => Spend {
  const nodes = byStart(tree.nodes);
  const before: Usage[] = [noUsage];
  for (const { own } of nodes) before.push(addUsage(before.at(-1) ?? noUsage, own));

  const countBefore = (unixMs: number) => {
    let low = 0;
    let high = nodes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((nodes[middle]?.span.startUnixMs ?? 0) < unixMs) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return (fromUnixMs, untilUnixMs) => {
    const from = countBefore(fromUnixMs);
    const until = countBefore(untilUnixMs);
    return {
      durationMs: untilUnixMs - fromUnixMs,
      spanCount: until - from,
      usage: subtractUsage(before[until] ?? noUsage, before[from] ?? noUsage),
    };
  };
}

/** What was spent from the end of the first span that failed to the end of the trace. */
export function spendAfterFirstFailure(
  tree: SpanTree,
): { readonly failure: ErrorChain; readonly spend: Spend } | undefined {
  const failure = errorChains(tree)[0];
  if (failure === undefined) return undefined;
  const { endUnixMs: end } = summarizeTrace(tree);
  const failedUnixMs = endUnixMs(failure.origin.span);
  return { failure, spend: createSpendMeter(tree)(failedUnixMs, end) };
}
