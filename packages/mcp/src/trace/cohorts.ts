import { llmCalls, toolCalls } from "./calls.js";
import { percentile } from "./metrics.js";
import { modelOf } from "./semconv.js";
import { summarizeTrace, type TraceStatus } from "./summary.js";
import type { SpanTree } from "./tree.js";
import type { Cost, Usage } from "./usage.js";

/** Something a trace has or has not. */
export interface Trait {
  readonly type: "model" | "tool" | "agent" | "tag";
  readonly name: string;
}

/** What is kept of a trace to compare it with others. */
export interface TraceTraits {
  readonly status: TraceStatus;
  readonly durationMs: number;
  readonly spanCount: number;
  readonly usage: Usage;
  readonly traits: readonly Trait[];
}

/** A trait that failing traces have more or less often than the others. */
export interface TraitDifference {
  readonly trait: Trait;
  readonly failingCount: number;
  readonly otherCount: number;
}

export interface CohortComparison {
  readonly failing: Cohort;
  readonly others: Cohort;
  /** Largest difference of shares first; traits whose shares are equal are left out. */
  readonly differences: readonly TraitDifference[];
}

/** Medians over the traces of a cohort; zeros for none. */
export interface Cohort {
  readonly traceCount: number;
  readonly durationMs: number;
  readonly spanCount: number;
  readonly totalTokens: number;
  /** At least that where a trace has calls without a known price: it counts with what is known. */
  readonly cost: Cost;
}

export function traitsOf(tree: SpanTree): TraceTraits {
  const { status, durationMs, spanCount, usage } = summarizeTrace(tree);
  const named = (type: Trait["type"], names: Iterable<string | undefined>): Trait[] =>
    [...new Set(names)].flatMap((name) => (name === undefined ? [] : [{ type, name }]));
  return {
    status,
    durationMs,
    spanCount,
    usage,
    traits: [
      ...named(
        "model",
        llmCalls(tree).map(({ span }) => modelOf(span)),
      ),
      ...named(
        "tool",
        toolCalls(tree).map(({ tool }) => tool.name),
      ),
      ...named(
        "agent",
        tree.nodes.map(({ agent }) => agent),
      ),
      ...named("tag", tree.trace.tags),
    ],
  };
}

/** Sets the failing traces beside all others, whose outcome may be unknown. */
export function compareCohorts(traces: readonly TraceTraits[]): CohortComparison {
  const failing = traces.filter(({ status }) => status === "failed");
  const others = traces.filter(({ status }) => status !== "failed");
  const counts = new Map<string, { trait: Trait; failingCount: number; otherCount: number }>();
  for (const { status, traits } of traces) {
    for (const trait of traits) {
      const key = `${trait.type} ${trait.name}`;
      const count = counts.get(key) ?? { trait, failingCount: 0, otherCount: 0 };
      if (status === "failed") count.failingCount += 1;
      else count.otherCount += 1;
      counts.set(key, count);
    }
  }
  const gap = ({ failingCount, otherCount }: TraitDifference) =>
    Math.abs(failingCount / failing.length - otherCount / others.length);
  const isComparable = failing.length > 0 && others.length > 0;
  const differences = isComparable
    ? [...counts.values()].filter((each) => gap(each) > 0).sort((a, b) => gap(b) - gap(a))
    : [];
  return { failing: describeCohort(failing), others: describeCohort(others), differences };
}

function describeCohort(traces: readonly TraceTraits[]): Cohort {
  return {
    traceCount: traces.length,
    durationMs: median(traces.map(({ durationMs }) => durationMs)),
    spanCount: median(traces.map(({ spanCount }) => spanCount)),
    totalTokens: median(traces.map(({ usage }) => usage.tokens.total)),
    cost: {
      costUsd: median(traces.map(({ usage }) => usage.costUsd ?? 0)),
      unpricedCount: traces.reduce((sum, { usage }) => sum + usage.unpricedCount, 0),
    },
  };
}

function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5);
}
