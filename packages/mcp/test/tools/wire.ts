import type { Span, Trace } from "../../src/trace/trace.js";

/** A trace as `GET /v4/traces/{trace_id}` sends it; attributes stay flat, which clients must bear. */
export function wireTrace(trace: Trace) {
  return {
    freeplan_truncated: trace.isTruncatedByPlan,
    project_id: "0a6f2c1e-3b7d-4c55-9a41-6f0d2b8e7c10",
    trace_id: trace.traceId,
    tags: trace.tags,
    spans: trace.spans.map(wireSpan),
  };
}

/** A trace as a row of `GET /v4/traces`. */
export function wireRow({ traceId, tags, spans }: Trace) {
  const startUnixMs = Math.min(...spans.map((span) => span.startUnixMs));
  const endUnixMs = Math.max(...spans.map((span) => span.startUnixMs + span.durationMs));
  return {
    trace_id: traceId,
    root_span_name: spans[0]?.name ?? "",
    start_time: wireTime(startUnixMs),
    end_time: wireTime(endUnixMs),
    duration: Math.round((endUnixMs - startUnixMs) * 1e6),
    span_count: spans.length,
    error_count: spans.filter(({ status }) => status === "error").length,
    tags,
    total_cost: spans.reduce((sum, span) => sum + costUsd(span), 0),
  };
}

function costUsd({ attributes }: Span): number {
  const read = (part: string) => Number(attributes[`gen_ai.usage.${part}_cost`] ?? 0);
  return read("prompt") + read("completion");
}

function wireSpan(span: Span) {
  return {
    span_id: span.spanId,
    parent_span_id: span.parentSpanId ?? "",
    span_name: span.name,
    span_kind: span.spanKind,
    service_name: span.serviceName,
    start_time: wireTime(span.startUnixMs),
    end_time: wireTime(span.startUnixMs + span.durationMs),
    duration: Math.round(span.durationMs * 1e6),
    status_code: span.status.toUpperCase(),
    status_message: span.statusMessage,
    span_attributes: span.attributes,
    ...(span.events.length > 0 && {
      event_names: span.events.map(({ name }) => name),
      event_timestamps: span.events.map(({ timeUnixMs }) => wireTime(timeUnixMs)),
      event_attributes: span.events.map(({ attributes }) => attributes),
    }),
  };
}

function wireTime(unixMs: number): string {
  return new Date(unixMs).toISOString().replace("Z", "000+00:00");
}
