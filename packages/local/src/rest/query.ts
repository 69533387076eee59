import { z } from "zod";
import { type FieldError, unprocessable } from "./errors.js";
import { endOfMicrosecond, parseTime } from "./time.js";

/** Reads a query string; a value out of bounds is a 422, as FastAPI words it. */
export function parseQuery<Schema extends z.ZodType>(
  schema: Schema,
  query: Readonly<Record<string, string | readonly string[]>>,
): z.output<Schema> {
  const parsed = schema.safeParse(query);
  if (!parsed.success) throw unprocessable(parsed.error.issues.map(fieldError));
  return parsed.data;
}

export const integer = z
  .string()
  .regex(/^[+-]?\d+$/)
  .transform(Number);

export const time = z.string().transform((text, context) => {
  const unixNano = parseTime(text);
  if (unixNano === undefined) context.addIssue({ code: "custom" });
  return unixNano;
});

/** An upper bound, which holds for what was answered with just this time. */
export const timeUpTo = time.transform((unixNano) => unixNano && endOfMicrosecond(unixNano));

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
