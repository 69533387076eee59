import { z } from "zod";
import { type ProjectMetricsQuery, type TraceQuery, traceOrders } from "../store/index.js";
import { integer, parseQuery, type Query, time, timeUpTo } from "./query.js";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

const timeRange = z.object({ start_time: time.optional(), end_time: timeUpTo.optional() });

const schema = timeRange.extend({
  query: z.string().default(""),
  limit: integer.pipe(z.number().min(1).max(MAX_LIMIT)).default(DEFAULT_LIMIT),
  offset: integer.pipe(z.number().min(0).max(Number.MAX_SAFE_INTEGER)).default(0),
  order_by: z.enum(traceOrders).default("start_time"),
  sort_order: z
    .string()
    .toUpperCase()
    .pipe(z.enum(["ASC", "DESC"]))
    .default("DESC"),
});

/** Reads the query string of a trace list; a value out of bounds is a 422, as FastAPI words it. */
export function parseListQuery(query: Query): TraceQuery {
  const { query: text, ...parsed } = parseQuery(schema, query);
  const { start_time, end_time, limit, offset, order_by, sort_order } = parsed;
  return {
    fromUnixNano: start_time,
    untilUnixNano: end_time,
    text,
    orderBy: order_by,
    descending: sort_order === "DESC",
    limit,
    offset,
  };
}

/** Reads the query string of what covers a range of time; both ends may be open. */
export function parseTimeRange(query: Query): ProjectMetricsQuery {
  const { start_time, end_time } = parseQuery(timeRange, query);
  return { fromUnixNano: start_time, untilUnixNano: end_time };
}
