import type { SpanBody, SpanHead, StoredSpan } from "../store/index.js";
import { spanMetrics } from "./metrics.js";
import { isObject, type Nested, nestAttributes, nestSpanAttributes } from "./nested-attributes.js";
import { isoMicros, isoRange } from "./time.js";

/** A span as `/public/v1/traces/{id}` lists it: without attributes. */
export function spanHead(span: SpanHead) {
  return {
    span_id: span.spanId,
    parent_span_id: span.parentSpanId,
    span_name: span.name,
    span_kind: span.kind,
    ...isoRange(span.startUnixNano, span.durationNano),
    status_code: span.status.toUpperCase(),
    status_message: span.statusMessage,
  };
}

/** A span as `/public/v1/spans/{id}` answers it. `attributes` is always empty there. */
export function spanView(span: SpanBody) {
  const { span_id, parent_span_id, span_name, span_kind, ...rest } = spanHead(span);
  return {
    span_id,
    parent_span_id,
    span_name,
    span_kind,
    service_name: span.serviceName,
    ...rest,
    attributes: {},
    resource_attributes: nestAttributes(span.resourceAttributes),
    span_attributes: nestSpanAttributes(span.attributes),
  };
}

/** A span as `/v4/traces/detail/{id}` lists it: all there is. */
export function spanItem(span: StoredSpan) {
  const { span_id, parent_span_id, span_name, span_kind, ...rest } = spanView(span);
  return {
    freeplan_truncated: false,
    span_id,
    parent_span_id,
    span_name,
    span_kind,
    span_type: spanType(rest.span_attributes),
    ...rest,
    event_timestamps: span.eventUnixNanos.map(isoMicros),
    event_names: span.eventNames,
    event_attributes: span.eventAttributes,
    link_trace_ids: span.linkTraceIds,
    link_span_ids: span.linkSpanIds,
    link_trace_states: span.linkTraceStates,
    link_attributes: span.linkAttributes,
    metrics: usageKeys.some((key) => key in span.attributes) ? spanMetrics(span) : null,
  };
}

/** A span has metrics if it has one of these attributes, whatever its value. */
const usageKeys = [
  "gen_ai.completion",
  "gen_ai.prompt",
  "gen_ai.usage",
  "gen_ai.usage.prompt_tokens",
  "gen_ai.usage.completion_tokens",
  "gen_ai.usage.input_tokens",
  "gen_ai.usage.output_tokens",
  "gen_ai.usage.total_tokens",
  "gen_ai.usage.prompt_cost",
  "gen_ai.usage.completion_cost",
  "gen_ai.usage.total_cost",
  "gen_ai.usage.cache_read.input_tokens",
  "gen_ai.usage.cache_read_input_tokens",
  "gen_ai.usage.reasoning_tokens",
  "ai.system",
  "ai.llm",
  "llm.request.model",
  "llm.response.model",
  "llm.system",
];

const typeOfKey: Readonly<Record<string, string>> = {
  gen_ai: "request",
  agent: "agent",
  tool: "tool",
};

/** AgentOps' guess at what a span is: the first telling key at any depth, in key order. */
function spanType(attributes: Nested): string | null {
  if (isObject(attributes) && Object.keys(attributes).length === 0) return null;
  return typeWithin(attributes) ?? "other";
}

function typeWithin(value: Nested): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    const type = typeOfKey[key] ?? typeWithin(child);
    if (type) return type;
  }
  return undefined;
}
