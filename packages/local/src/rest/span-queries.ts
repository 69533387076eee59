import { agentopsKinds } from "mcp-server-agentops-api/semconv";
import { z } from "zod";
import {
  type AttributeFilter,
  MAX_UNIX_NANO,
  type MetricsQuery,
  type SpanPosition,
  type SpanQuery,
  spanMetricsGroups,
  spanStatuses,
  traceMetricsGroups,
} from "../store/index.js";
import { unprocessable } from "./errors.js";
import { amount, integer, parseQuery, type Query, time, timeUpTo } from "./query.js";
import { hexTraceId } from "./trace-id.js";

/** A page of spans comes with their whole attributes, so it is no larger than this. */
const MAX_SPANS = 100;
const DEFAULT_SPANS = 20;
/** Rows of metrics: there are as many as there are models, tools or span names. */
const MAX_ROWS = 1000;
const DEFAULT_ROWS = 100;
/** Trace ids travel in the query string, which Node takes up to 16 KiB of. */
const MAX_TRACE_IDS = 400;

const limit = (most: number, unasked: number) =>
  integer.pipe(z.number().min(1).max(most)).default(unasked);
const text = z.string().min(1).optional();
// Values are apart by a NUL where they are searched.
const searched = z
  .string()
  .min(1)
  .regex(/^[^\0]*$/, "null_character")
  .optional();
const many = z.array(z.string().min(1)).default([]);
const traceIds = many
  .pipe(z.array(z.string()).max(MAX_TRACE_IDS))
  .pipe(z.array(z.string().toLowerCase().regex(hexTraceId, "string_pattern_mismatch")));
const kind = z.string().toLowerCase().pipe(z.enum(agentopsKinds));

const statuses = new Map(spanStatuses.map((status) => [status.toLowerCase(), status]));
const status = z
  .string()
  .toLowerCase()
  .pipe(z.enum([...statuses.keys()]))
  .transform((name) => statuses.get(name));

const searchSchema = z.strictObject({
  trace_id: traceIds,
  start_time: time.optional(),
  end_time: timeUpTo.optional(),
  text: searched,
  name: text,
  kind: kind.optional(),
  model: text,
  tool: text,
  agent: text,
  status: status.optional(),
  min_duration_ms: amount.optional(),
  min_cost_usd: amount.optional(),
  attribute: z.array(z.string().regex(/^[^=]/, "missing_key")).default([]),
  limit: limit(MAX_SPANS, DEFAULT_SPANS),
  cursor: text,
});

/** Reads the query string of `GET /v4/spans/search`. */
export function parseSearchQuery(query: Query): SpanQuery {
  const parsed = parseQuery(searchSchema, query);
  const { text, name, model, tool, agent, status, min_duration_ms } = parsed;
  return {
    traceIds: parsed.trace_id,
    fromUnixNano: parsed.start_time,
    untilUnixNano: parsed.end_time,
    text,
    name,
    agentopsKind: parsed.kind,
    model,
    tool,
    agent,
    status,
    minDurationNano:
      min_duration_ms === undefined ? undefined : BigInt(Math.round(min_duration_ms * 1e6)),
    minCostUsd: parsed.min_cost_usd,
    attributes: parsed.attribute.map(attributeFilter),
    limit: parsed.limit,
    after: parsed.cursor === undefined ? undefined : decodeCursor(parsed.cursor),
  };
}

const metricsSchema = z.strictObject({
  trace_id: traceIds,
  start_time: time.optional(),
  end_time: timeUpTo.optional(),
  group_by: z.enum([...spanMetricsGroups, ...traceMetricsGroups]).default("all"),
  limit: limit(MAX_ROWS, DEFAULT_ROWS),
});

/** Reads the query string of `GET /v4/spans/metrics`. */
export function parseMetricsQuery(query: Query): MetricsQuery {
  const parsed = parseQuery(metricsSchema, query);
  return {
    group: parsed.group_by,
    traceIds: parsed.trace_id,
    fromUnixNano: parsed.start_time,
    untilUnixNano: parsed.end_time,
    limit: parsed.limit,
  };
}

/** `key`, or `key=text` that its value contains. */
function attributeFilter(attribute: string): AttributeFilter {
  const [key = "", ...value] = attribute.split("=");
  return { key, contains: value.length === 0 ? undefined : value.join("=") };
}

const cursorPattern = /^(\d{1,19})\.([^.]+)\.([^.]+)$/;

export function encodeCursor({ startUnixNano, traceId, spanId }: SpanPosition): string {
  return Buffer.from(`${startUnixNano}.${traceId}.${spanId}`).toString("base64url");
}

function decodeCursor(cursor: string): SpanPosition {
  const match = cursorPattern.exec(Buffer.from(cursor, "base64url").toString());
  const [, start, traceId, spanId] = match ?? [];
  const startUnixNano = BigInt(start ?? 0);
  if (!traceId || !spanId || startUnixNano > MAX_UNIX_NANO) {
    const msg = "Input should be the next_cursor of an earlier answer";
    throw unprocessable([{ type: "value_error", loc: ["query", "cursor"], msg }]);
  }
  return { startUnixNano, traceId, spanId };
}
