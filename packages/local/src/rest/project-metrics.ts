import { roundUsd } from "mcp-server-agentops-api/semconv";
import type { ProjectMetrics, TraceFigures, TraceStatus } from "../store/index.js";
import { isoMicros } from "./time.js";

/** How many bars `spans_per_trace` has, at most about. */
const HISTOGRAM_BUCKETS = 10;

/** `GET /v4/meterics/project/{id}`: what AgentOps' dashboard draws. */
export function projectMetrics(projectId: string, figures: ProjectMetrics) {
  const { traces, spanCount, okCount, errorCount, traceDurationsNano } = figures;
  const otherCount = spanCount - okCount - errorCount;
  return {
    project_id: projectId,
    trace_count: traces.length,
    span_count: {
      total: spanCount,
      success: okCount,
      fail: errorCount,
      unknown: otherCount,
      indeterminate: otherCount,
    },
    token_metrics: tokenMetrics(figures),
    duration_metrics: durationMetrics(figures),
    success_datetime: lastStarts(traces, "ok"),
    fail_datetime: lastStarts(traces, "failed"),
    indeterminate_datetime: lastStarts(traces, "unknown"),
    spans_per_trace: histogram(traces.map((trace) => trace.spanCount)),
    trace_durations: traceDurationsNano,
    trace_cost_dates: costByDate(traces),
    start_time: isoMicros(figures.startUnixNano ?? 0n),
    end_time: isoMicros(figures.lastStartUnixNano ?? 0n),
    freeplan_truncated: false,
  };
}

function tokenMetrics(figures: ProjectMetrics) {
  const { traces, totalTokens, totalCostUsd, spanCount, okCount, errorCount } = figures;
  const tokens = {
    all: totalTokens,
    success: sum(withStatus(traces, "ok").map((trace) => trace.totalTokens)),
    fail: sum(withStatus(traces, "failed").map((trace) => trace.totalTokens)),
  };
  return {
    total_cost: usd(totalCostUsd),
    average_cost_per_session: usd(ratio(totalCostUsd, traces.length)),
    prompt_tokens: figures.promptTokens,
    completion_tokens: figures.completionTokens,
    total_tokens: tokens,
    // As AgentOps has it: tokens of traces over counts of spans.
    avg_tokens: {
      all: average(tokens.all, spanCount),
      success: average(tokens.success, okCount),
      fail: average(tokens.fail, errorCount),
    },
  };
}

function durationMetrics({ spanDurationsNano, traceDurationsNano }: ProjectMetrics) {
  const { min, max, avg, total } = spanDurationsNano;
  return {
    min_duration_ns: min,
    max_duration_ns: max,
    avg_duration_ns: Math.round(avg),
    total_duration_ns: total,
    trace_durations: traceDurationsNano,
  };
}

function withStatus(traces: readonly TraceFigures[], status: TraceStatus): TraceFigures[] {
  return traces.filter((trace) => trace.status === status);
}

function lastStarts(traces: readonly TraceFigures[], status: TraceStatus): string[] {
  return withStatus(traces, status).map(({ lastStartUnixNano }) => isoMicros(lastStartUnixNano));
}

/** How many traces have so many spans, by the lower bound of the bucket; empty buckets are left out. */
function histogram(spanCounts: readonly number[]): Record<string, number> {
  const largest = spanCounts.reduce((most, count) => Math.max(most, count), 0);
  const width = Math.max(1, Math.floor(largest / HISTOGRAM_BUCKETS));
  return tally(spanCounts.map((count) => [String(Math.floor(count / width) * width), 1]));
}

/** USD per UTC day; AgentOps takes the traces that succeeded. */
function costByDate(traces: readonly TraceFigures[]): Record<string, number> {
  const sums = tally(
    withStatus(traces, "ok").map(({ lastStartUnixNano, totalCostUsd }) => [
      isoMicros(lastStartUnixNano).slice(0, "2026-01-02".length),
      totalCostUsd,
    ]),
  );
  return Object.fromEntries(Object.entries(sums).map(([day, costUsd]) => [day, roundUsd(costUsd)]));
}

function tally(amounts: readonly (readonly [string, number])[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [key, amount] of amounts) sums[key] = (sums[key] ?? 0) + amount;
  return sums;
}

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);
const ratio = (amount: number, count: number) => (count === 0 ? 0 : amount / count);
const average = (amount: number, count: number) => Number(ratio(amount, count).toFixed(2));
/** USD as this route writes it: five decimals, where others have seven. */
const usd = (amount: number) => amount.toFixed(5);
