import type { StoredSpan, TraceQuery, TraceSummary, TraceTotals } from "../store/index.js";
import { totalMetrics, traceMetrics } from "./metrics.js";
import { spanHead, spanItem } from "./spans.js";
import { isoMicrosUtc } from "./time.js";

interface TraceParts {
  readonly projectId: string;
  readonly trace: TraceSummary;
  readonly spans: readonly StoredSpan[];
}

/** `GET /public/v1/traces/{id}` */
export function traceView({ projectId, trace, spans }: TraceParts) {
  return {
    trace_id: trace.traceId,
    project_id: projectId,
    tags: parseTags(trace.rootTags),
    spans: spans.map(spanHead),
  };
}

/** `GET /v4/traces/detail/{id}` */
export function traceDetail({ projectId, trace, spans }: TraceParts) {
  return {
    freeplan_truncated: false,
    project_id: projectId,
    trace_id: trace.traceId,
    tags: parseTags(trace.rootTags),
    metrics: traceMetrics(trace),
    spans: spans.map(spanItem),
  };
}

/** `GET /v4/traces/list/{project_id}` */
export function traceList(
  { limit, offset }: TraceQuery,
  page: { readonly traces: readonly TraceSummary[]; readonly totals: TraceTotals },
) {
  return {
    traces: page.traces.map(traceListItem),
    metrics: totalMetrics(page.totals),
    total: page.totals.traceCount,
    limit,
    offset,
    freeplan_truncated: false,
  };
}

/** Unlike AgentOps', the duration reaches to the end of the last span, not to its start. */
function traceListItem(trace: TraceSummary) {
  return {
    freeplan_truncated: false,
    trace_id: trace.traceId,
    root_service_name: trace.rootServiceName,
    root_span_name: trace.rootName,
    start_time: isoMicrosUtc(trace.startUnixNano),
    end_time: isoMicrosUtc(trace.endUnixNano),
    duration: Number(trace.endUnixNano - trace.startUnixNano),
    span_count: trace.spanCount,
    error_count: trace.errorCount,
    tags: parseTags(trace.rootTags),
    total_cost: trace.totalCostUsd,
  };
}

/** `agentops.tags` is JSON array text; anything else an SDK wrote there is one tag. */
function parseTags(text: string): string[] {
  if (text === "") return [];
  const parsed = parseJson(text);
  return Array.isArray(parsed) ? parsed.map(String) : [text];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
