import type * as z from "zod";
import { badResponse } from "./errors.js";
import { parseJson } from "./json.js";

/** Parses a body against a schema. The error names the field that is wrong, never what it holds. */
export function parseBody<Parsed>(schema: z.ZodType<Parsed>, body: string): Parsed {
  const json = parseJson(body);
  if (json === undefined) throw badResponse("The response is not JSON.");

  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badResponse(`The response has no valid ${issue?.path.join(".") || "content"}.`);
}
