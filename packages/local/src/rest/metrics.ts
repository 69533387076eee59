import type { SpanUsage, TraceSums, TraceTotals, UsageFigures } from "../store/index.js";

/** Figures of one trace: counts are of its spans. */
export function traceMetrics(trace: TraceSums) {
  const { spanCount, okCount, errorCount, unpricedCount } = trace;
  return metrics(trace, {
    span_count: spanCount,
    trace_count: 1,
    success_count: okCount,
    fail_count: errorCount,
    indeterminate_count: spanCount - okCount - errorCount,
    unpriced_count: unpricedCount,
  });
}

/**
 * Figures of all traces of a list: success, fail and indeterminate count traces, by their status. Unlike
 * AgentOps', `span_count` counts spans.
 */
export function totalMetrics(totals: TraceTotals) {
  const { traceCount, spanCount, okTraceCount, failedTraceCount } = totals;
  return metrics(totals, {
    span_count: spanCount,
    trace_count: traceCount,
    success_count: okTraceCount,
    fail_count: failedTraceCount,
    indeterminate_count: traceCount - okTraceCount - failedTraceCount,
  });
}

export function spanMetrics(span: SpanUsage) {
  const tokensIf = (isCounted: boolean) => (isCounted ? span.totalTokens : 0);
  const isOk = span.status === "Ok";
  const isError = span.status === "Error";
  return {
    ...usageTokens(span),
    success_tokens: tokensIf(isOk),
    fail_tokens: tokensIf(isError),
    indeterminate_tokens: tokensIf(!isOk && !isError),
    prompt_cost: usd(span.promptCostUsd),
    completion_cost: usd(span.completionCostUsd),
    total_cost: usd(span.totalCostUsd),
  };
}

function metrics<Counts extends { readonly trace_count: number }>(
  figures: UsageFigures,
  counts: Counts,
) {
  return {
    ...counts,
    ...usageTokens(figures),
    prompt_cost: usd(figures.promptCostUsd),
    completion_cost: usd(figures.completionCostUsd),
    average_cost_per_trace: usd(figures.totalCostUsd / Math.max(counts.trace_count, 1)),
    total_cost: usd(figures.totalCostUsd),
  };
}

export function usageTokens(figures: UsageFigures) {
  return {
    prompt_tokens: figures.promptTokens,
    completion_tokens: figures.completionTokens,
    cache_read_input_tokens: figures.cacheReadTokens,
    reasoning_tokens: figures.reasoningTokens,
    total_tokens: figures.totalTokens,
  };
}

/** USD as AgentOps writes it. */
function usd(amount: number): string {
  return amount.toFixed(7);
}
