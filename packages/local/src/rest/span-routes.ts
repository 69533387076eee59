import type { Hono } from "hono";
import { roundUsd } from "mcp-server-agentops-api/semconv";
import type { MetricsRow, SpanQuery, StoredSpan } from "../store/index.js";
import { dashboardProjectId } from "./credentials.js";
import { usageTokens } from "./metrics.js";
import { addRoute, type RestOptions } from "./routes.js";
import { encodeCursor, parseMetricsQuery, parseSearchQuery } from "./span-queries.js";
import { spanItem } from "./spans.js";

/** What AgentOps does not have: spans found, and added up, without reading whole traces. */
export const spanCapabilities = ["spans.search", "spans.metrics"];

export function addSpanRoutes(app: Hono, { store, tokens }: RestOptions): void {
  addRoute(app, "GET", "/v4/spans/search", async (context) => {
    const projectId = await dashboardProjectId(context, tokens);
    const query = parseSearchQuery(context.req.queries());
    return spanPage(query, await store.searchSpans(projectId, query));
  });

  addRoute(app, "GET", "/v4/spans/metrics", async (context) => {
    const projectId = await dashboardProjectId(context, tokens);
    const query = parseMetricsQuery(context.req.queries());
    const [rows, nestedCount = null] = await Promise.all([
      store.metrics(projectId, query),
      store.nestedUsageCount(projectId, query),
    ]);
    return { group_by: query.group, nested_count: nestedCount, rows: rows.map(metricsRow) };
  });
}

function spanPage({ limit }: SpanQuery, spans: readonly StoredSpan[]) {
  const last = spans.at(-1);
  return {
    spans: spans.map(foundSpan),
    next_cursor: last && spans.length === limit ? encodeCursor(last) : null,
  };
}

/** As the detail of its trace lists it, and which trace that is. */
function foundSpan(span: StoredSpan) {
  const { traceId, agentopsKind } = span;
  return { trace_id: traceId, agentops_kind: agentopsKind, ...spanItem(span) };
}

function metricsRow(row: MetricsRow) {
  const [p50 = 0, p95 = 0, p99 = 0] = row.quantiles.map(Math.round);
  return {
    key: row.key === "" ? null : row.key,
    count: row.count,
    error_count: row.errorCount,
    error_rate: row.errorCount / row.count,
    duration_ns: { p50, p95, p99, max: row.maxDurationNano, total: row.totalDurationNano },
    ...usageTokens(row),
    total_cost: row.pricedCount === 0 ? null : roundUsd(row.totalCostUsd),
    unpriced_count: row.unpricedCount,
  };
}
