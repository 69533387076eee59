import { z } from "zod";
import { type TraceQuery, traceOrders } from "../store/index.js";
import { type FieldError, unprocessable } from "./errors.js";
import { parseTime } from "./time.js";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

const integer = z
  .string()
  .regex(/^[+-]?\d+$/)
  .transform(Number);

const time = z.string().transform((text, context) => {
  const unixNano = parseTime(text);
  if (unixNano === undefined) context.addIssue({ code: "custom" });
  return unixNano;
});

const schema = z.object({
  start_time: time.optional(),
  end_time: time.optional(),
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
export function parseListQuery(query: Record<string, string>): TraceQuery {
  const parsed = schema.safeParse(query);
  if (!parsed.success) throw unprocessable(parsed.error.issues.map(fieldError));
  const { start_time, end_time, query: text, limit, offset, order_by, sort_order } = parsed.data;
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

function fieldError(issue: z.core.$ZodIssue): FieldError {
  return { ...wording(issue), loc: ["query", ...issue.path.map(String)] };
}

function wording(issue: z.core.$ZodIssue): Pick<FieldError, "type" | "msg"> {
  switch (issue.code) {
    case "too_big":
      return {
        type: "less_than_equal",
        msg: `Input should be less than or equal to ${issue.maximum}`,
      };
    case "too_small":
      return {
        type: "greater_than_equal",
        msg: `Input should be greater than or equal to ${issue.minimum}`,
      };
    case "invalid_value":
      return { type: "literal_error", msg: `Input should be one of ${issue.values.join(", ")}` };
    case "custom":
      return { type: "datetime_parsing", msg: "Input should be a valid datetime or date" };
    default:
      return {
        type: "int_parsing",
        msg: "Input should be a valid integer, unable to parse string as an integer",
      };
  }
}
