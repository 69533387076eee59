import { z } from "zod";
import { type FieldError, unprocessable } from "./errors.js";
import { endOfMicrosecond, parseTime } from "./time.js";
import { hexTraceId } from "./trace-id.js";

/** The values of each parameter, in the order they came. */
export type Query = Readonly<Record<string, readonly string[]>>;

/** Reads a query string; a value out of bounds is a 422, as FastAPI words it. */
export function parseQuery<Schema extends z.ZodType>(
  schema: Schema,
  query: Query,
): z.output<Schema> {
  const parsed = schema.safeParse(single(query));
  if (!parsed.success) throw unprocessable(parsed.error.issues.flatMap(fieldErrors));
  return parsed.data;
}

/** Parameters that may come several times; of the others the last one counts, as for FastAPI. */
const repeatable = ["trace_id", "attribute"];

function single(query: Query): Record<string, string | readonly string[]> {
  const entries = Object.entries(query).map(([name, values]) => {
    return [name, repeatable.includes(name) ? values : (values.at(-1) ?? "")] as const;
  });
  return Object.fromEntries(entries);
}

/** What a text was not, by FastAPI's name of the error. */
const parsingErrors: Readonly<Record<string, string>> = {
  int_parsing: "Input should be a valid integer, unable to parse string as an integer",
  float_parsing: "Input should be a valid number, unable to parse string as a number",
  missing_key: "Input should be key, or key=text",
  null_character: "Input should not contain a NUL character",
  datetime_parsing: "Input should be a valid datetime or date",
  string_pattern_mismatch: `String should match pattern '${hexTraceId.source}'`,
};

export const integer = z
  .string()
  .regex(/^[+-]?\d+$/, "int_parsing")
  .transform(Number);

/** As nanoseconds so many milliseconds still fit 63 bits; no span costs so many dollars. */
const MAX_AMOUNT = 9e12;

export const amount = z
  .string()
  .regex(/^[+-]?\d{1,30}(\.\d+)?(e[+-]?\d{1,3})?$/i, "float_parsing")
  .transform(Number)
  .pipe(z.number().min(0).max(MAX_AMOUNT));

export const time = z.string().transform((text, context) => {
  const unixNano = parseTime(text);
  if (unixNano === undefined) context.addIssue({ code: "custom", message: "datetime_parsing" });
  return unixNano;
});

/** An upper bound, which holds for what was answered with just this time. */
export const timeUpTo = time.transform((unixNano) => unixNano && endOfMicrosecond(unixNano));

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => ({
      type: "extra_forbidden",
      msg: "Extra inputs are not permitted",
      loc: ["query", name],
    }));
  }
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  return [{ ...wording(issue), loc: ["query", ...path] }];
}

function wording(issue: z.core.$ZodIssue): Pick<FieldError, "type" | "msg"> {
  switch (issue.code) {
    case "too_big":
      if (issue.origin === "array") {
        return { type: "too_long", msg: `List should have at most ${issue.maximum} items` };
      }
      return {
        type: "less_than_equal",
        msg: `Input should be less than or equal to ${issue.maximum}`,
      };
    case "too_small":
      if (issue.origin === "string") {
        return { type: "string_too_short", msg: "String should have at least 1 character" };
      }
      return {
        type: "greater_than_equal",
        msg: `Input should be greater than or equal to ${issue.minimum}`,
      };
    case "invalid_value":
      return { type: "literal_error", msg: `Input should be one of ${issue.values.join(", ")}` };
    default:
      return { type: issue.message, msg: parsingErrors[issue.message] ?? "" };
  }
}
