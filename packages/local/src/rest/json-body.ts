import type { z } from "zod";
import { BodyTooLargeError, readLimited } from "../body.js";
import { type FieldError, RestError, unprocessable } from "./errors.js";

/** Far above any body of a few text fields. */
export const MAX_JSON_BYTES = 64 * 1024;

/** Reads a JSON body of text fields; what does not fit is a 422, as FastAPI words it. */
export async function readJsonBody<Body>(request: Request, schema: z.ZodType<Body>): Promise<Body> {
  const text = await readText(request);
  if (!request.headers.get("content-type")?.includes("json")) throw unprocessable([notAnObject]);
  if (text === "") throw unprocessable([{ type: "missing", loc: ["body"], msg: "Field required" }]);

  const parsed = schema.safeParse(parseJson(text), { reportInput: true });
  if (parsed.success) return parsed.data;
  throw unprocessable(parsed.error.issues.map(fieldError));
}

async function readText(request: Request): Promise<string> {
  try {
    return new TextDecoder().decode(await readLimited(request, { maxBytes: MAX_JSON_BYTES }));
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new RestError(413, { detail: `The body may be ${MAX_JSON_BYTES} bytes at most` });
  }
}

const notAnObject: FieldError = {
  type: "model_attributes_type",
  loc: ["body"],
  msg: "Input should be a valid dictionary or object to extract fields from",
};

function fieldError({ path, input }: z.core.$ZodIssue): FieldError {
  if (path.length === 0) return notAnObject;
  const loc = ["body", ...path.map(String)];
  return input === undefined
    ? { type: "missing", loc, msg: "Field required" }
    : { type: "string_type", loc, msg: "Input should be a valid string" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unprocessable([
      {
        type: "json_invalid",
        loc: ["body", offsetOf(error)],
        msg: "JSON decode error",
        // Not the parser's own words: they quote the body.
        ctx: { error: "Invalid JSON" },
      },
    ]);
  }
}

/** Where the parser stopped, as far as it says so; 0 otherwise. */
function offsetOf(error: unknown): number {
  return Number(/at position (\d+)/.exec(String(error))?.[1] ?? 0);
}
