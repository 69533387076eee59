import { llmCalls, toolCalls } from "./calls.js";
import { groupBy } from "./group-by.js";
import { modelOf } from "./semconv.js";
import { summarizeTrace } from "./summary.js";
import type { SpanNode, SpanTree } from "./tree.js";
import { sumUsage, type Tokens, type Usage } from "./usage.js";

/**
 * What a row of metrics counts: model calls by `model`, agent runs by `agent`, tool calls by `tool`,
 * spans by `span_name`, and whole traces by `status`, by `day` (UTC, of the trace's start) or all
 * together.
 */
export type MetricsGroup = "all" | "model" | "agent" | "tool" | "span_name" | "status" | "day";

export interface MetricsRow {
  /** Undefined for those that name no model or agent. */
  readonly key: string | undefined;
  readonly count: number;
  readonly errorCount: number;
  readonly duration: DurationMetrics;
  /** What the counted spans used themselves; for agents and traces, with all that ran for them. */
  readonly usage: MetricsUsage;
}

export interface MetricsUsage extends Omit<Usage, "tokens"> {
  readonly tokens: Pick<Tokens, "input" | "output" | "cacheRead" | "total">;
}

export interface DurationMetrics {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Most frequent first, then by key. */
export function aggregateMetrics(
  trees: readonly SpanTree[],
  group: MetricsGroup,
): readonly MetricsRow[] {
  const samples = trees.flatMap((tree) => samplesOf(tree, group));
  return [...groupBy(samples, ({ key }) => key)]
    .map(([key, alike]) => rowOf(key, alike))
    .sort((a, b) => b.count - a.count || byText(a.key ?? "", b.key ?? ""));
}

/** By code unit, as a database sorts; a locale would not. */
function byText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/**
 * Of `sorted`, interpolated between the two nearest values, so that the median of two is their mean: ClickHouse's
 * `quantileExactInclusive`, with which answers computed in the database agree. Rounded as those are, to a
 * millionth (of a millisecond: a nanosecond). Zero for no values.
 */
export function percentile(sorted: Float64Array, level: number): number {
  const rank = level * (sorted.length - 1);
  const below = sorted[Math.floor(rank)] ?? 0;
  const above = sorted[Math.ceil(rank)] ?? below;
  return Math.round((below + (rank - Math.floor(rank)) * (above - below)) * 1e6) / 1e6;
}

/** One counted thing. */
interface Sample {
  readonly key: string | undefined;
  readonly durationMs: number;
  readonly hasFailed: boolean;
  /** Nodes whose own usage it accounts for; no node belongs to two samples. */
  readonly nodes: readonly SpanNode[];
}

function samplesOf(tree: SpanTree, group: MetricsGroup): readonly Sample[] {
  switch (group) {
    case "model":
      return llmCalls(tree).map((node) => spanSample(node, modelOf(node.span)));
    case "tool":
      return toolCalls(tree).map(({ node, tool }) => spanSample(node, tool.name));
    case "span_name":
      return tree.nodes.map((node) => spanSample(node, node.span.name));
    case "agent":
      return agentSamples(tree);
    case "all":
    case "status":
    case "day":
      return [traceSample(tree, group)];
  }
}

function spanSample(node: SpanNode, key: string | undefined): Sample {
  const { durationMs, status } = node.span;
  return { key, durationMs, hasFailed: status === "error", nodes: [node] };
}

/** An agent run accounts for what ran below it, except for the runs of other agents. */
function agentSamples({ nodes }: SpanTree): readonly Sample[] {
  const runs: SpanNode[] = [];
  const runOf: (SpanNode | undefined)[] = [];
  for (const node of nodes) {
    runOf.push(node.kind === "agent" ? node : node.parent && runOf[node.parent.index]);
    if (node.kind === "agent") runs.push(node);
  }
  const below = groupBy(nodes, ({ index }) => runOf[index]);
  return runs.map((run) => ({ ...spanSample(run, run.agent), nodes: below.get(run) ?? [] }));
}

function traceSample(tree: SpanTree, group: "all" | "status" | "day"): Sample {
  const { status, startUnixMs, durationMs } = summarizeTrace(tree);
  const keys = { all: "all", status, day: new Date(startUnixMs).toISOString().slice(0, 10) };
  return { key: keys[group], durationMs, hasFailed: status === "failed", nodes: tree.nodes };
}

function rowOf(key: string | undefined, samples: readonly Sample[]): MetricsRow {
  const nodes = samples.flatMap((sample) => sample.nodes);
  return {
    key,
    count: samples.length,
    errorCount: samples.filter(({ hasFailed }) => hasFailed).length,
    duration: durationMetrics(samples.map(({ durationMs }) => durationMs)),
    usage: sumUsage(nodes.map(({ own }) => own)),
  };
}

function durationMetrics(durationsMs: readonly number[]): DurationMetrics {
  const sorted = Float64Array.from(durationsMs).sort();
  return {
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
    maxMs: sorted.at(-1) ?? 0,
  };
}
