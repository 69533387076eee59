import type { Span, SpanEvent, SpanKind, SpanLink, SpanStatus, Trace } from "../trace/trace.js";
import { flattenAttributes } from "./attributes.js";
import type { TraceMetrics } from "./client.js";
import { badResponse } from "./errors.js";
import { parseBody } from "./parse-body.js";
import {
  spanSchema,
  traceSchema,
  type WireMetrics,
  type WireSpan,
  type WireTrace,
} from "./schemas.js";

export function parseTrace(body: string): Trace {
  return toTrace(parseBody(traceSchema, body));
}

export function parseSpan(body: string): Span {
  return toSpan(parseBody(spanSchema, body));
}

function toTrace(wire: WireTrace): Trace {
  const distinct = new Map(wire.spans.map((span) => [span.span_id, span]));
  const spans = Array.from(distinct.values(), toSpan);

  return {
    traceId: wire.trace_id,
    projectId: wire.project_id ?? undefined,
    tags: wire.tags ?? [],
    spans: spans.sort((a, b) => a.startUnixMs - b.startUnixMs),
    isTruncatedByPlan:
      wire.freeplan_truncated === true ||
      wire.spans.some((span) => span.freeplan_truncated === true),
    unreadSpanIds: new Set(wire.span_errors?.map(({ span_id }) => span_id)),
  };
}

function toSpan(wire: WireSpan): Span {
  const startUnixMs = toUnixMs(wire.start_time);
  return {
    spanId: wire.span_id,
    parentSpanId: wire.parent_span_id || undefined,
    name: wire.span_name ?? "",
    spanKind: toSpanKind(wire.span_kind ?? ""),
    status: toSpanStatus(wire.status_code ?? ""),
    statusMessage: wire.status_message ?? "",
    serviceName: wire.service_name ?? "",
    startUnixMs,
    durationMs: toDurationMs(wire, startUnixMs),
    attributes: flattenAttributes(wire.attributes, wire.span_attributes),
    resourceAttributes: flattenAttributes(wire.resource_attributes),
    events: toEvents(wire),
    links: toLinks(wire),
  };
}

/** The server's duration counts nanoseconds, its end time only microseconds. */
function toDurationMs({ duration, end_time }: WireSpan, startUnixMs: number): number {
  if (typeof duration === "number") return duration / 1e6;
  return end_time ? toUnixMs(end_time) - startUnixMs : 0;
}

function toEvents(wire: WireSpan): SpanEvent[] {
  const names = wire.event_names ?? [];
  return names.map((name, index) => ({
    name,
    timeUnixMs: toUnixMs(wire.event_timestamps?.[index] ?? wire.start_time),
    attributes: flattenAttributes(wire.event_attributes?.[index]),
  }));
}

function toLinks({ link_trace_ids, link_span_ids, link_attributes }: WireSpan): SpanLink[] {
  const traceIds = link_trace_ids ?? [];
  return traceIds.map((traceId, index) => ({
    traceId,
    spanId: link_span_ids?.[index] ?? "",
    attributes: flattenAttributes(link_attributes?.[index]),
  }));
}

const spanKinds = new Map<string, SpanKind>(
  (["internal", "server", "client", "producer", "consumer"] as const).map((kind) => [kind, kind]),
);

/** `Client` and, in older data, `SPAN_KIND_CLIENT`. */
function toSpanKind(text: string): SpanKind {
  return spanKinds.get(text.toLowerCase().replace("span_kind_", "")) ?? "unspecified";
}

const spanStatuses = new Map<string, SpanStatus>([
  ["OK", "ok"],
  ["ERROR", "error"],
]);

/** `ERROR` and, in older data, `Error` or `STATUS_CODE_ERROR`. */
function toSpanStatus(text: string): SpanStatus {
  return spanStatuses.get(text.toUpperCase().replace("STATUS_CODE_", "")) ?? "unset";
}

const ISO_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/i;

/** `Date` stops at milliseconds, and takes a time without an offset for local time. */
export function toUnixMs(text: string): number {
  const [, date, time, fraction = "0", offset = "Z"] = ISO_TIME.exec(text) ?? [];
  const wholeSecondsMs = Date.parse(`${date}T${time}${offset}`);
  if (Number.isNaN(wholeSecondsMs)) throw badResponse("The response holds a time that is none.");
  return wholeSecondsMs + Number(fraction) * 1000;
}

export function toTraceMetrics(wire: WireMetrics): TraceMetrics {
  return {
    spanCount: wire.span_count,
    successCount: wire.success_count,
    failCount: wire.fail_count,
    indeterminateCount: wire.indeterminate_count,
    promptTokens: wire.prompt_tokens,
    completionTokens: wire.completion_tokens,
    cacheReadInputTokens: wire.cache_read_input_tokens,
    reasoningTokens: wire.reasoning_tokens,
    totalTokens: wire.total_tokens,
    promptCostUsd: wire.prompt_cost,
    completionCostUsd: wire.completion_cost,
    totalCostUsd: wire.total_cost,
  };
}
