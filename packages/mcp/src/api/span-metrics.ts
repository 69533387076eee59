import type { MetricsRow } from "../trace/metrics.js";
import type { SpanMetricsQuery } from "./client.js";
import { parseBody } from "./parse-body.js";
import type { Reader } from "./reader.js";
import { routes } from "./routes.js";
import { spanMetricsSchema, type WireMetricsRow } from "./schemas.js";

/** The most that the route gives. */
const MAX_ROWS = 1_000;

/**
 * Reads `GET /v4/spans/metrics`; undefined where the deployment does not have it, and where its figures
 * are not those of the traces' trees: a span by itself does not know what spans below it report.
 */
export async function readSpanMetrics(
  reader: Reader,
  query: SpanMetricsQuery,
): Promise<readonly MetricsRow[] | undefined> {
  const path = `/v4/spans/metrics?${wireQuery(query)}`;
  const answer = await reader.firstAnswer([{ route: routes.spanMetrics, path }]);
  if (!answer) return undefined;
  const { nested_count, rows } = parseBody(spanMetricsSchema, answer.body);
  return nested_count === 0 && rows.length < MAX_ROWS ? rows.map(toRow) : undefined;
}

function wireQuery({ group, traceIds, sinceUnixMs }: SpanMetricsQuery): URLSearchParams {
  const query = new URLSearchParams({
    group_by: group,
    limit: String(MAX_ROWS),
    start_time: new Date(sinceUnixMs).toISOString(),
  });
  for (const traceId of traceIds) query.append("trace_id", traceId);
  return query;
}

function toRow(wire: WireMetricsRow): MetricsRow {
  const { p50, p95, p99, max } = wire.duration_ns;
  return {
    key: wire.key ?? undefined,
    count: wire.count,
    errorCount: wire.error_count,
    duration: { p50Ms: p50 / 1e6, p95Ms: p95 / 1e6, p99Ms: p99 / 1e6, maxMs: max / 1e6 },
    usage: {
      tokens: {
        input: wire.prompt_tokens,
        output: wire.completion_tokens,
        cacheRead: wire.cache_read_input_tokens,
        total: wire.total_tokens,
      },
      costUsd: wire.total_cost ?? undefined,
      unpricedCount: wire.unpriced_count,
    },
  };
}
