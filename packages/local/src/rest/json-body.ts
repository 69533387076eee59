import type { z } from "zod";
import { unprocessable } from "./errors.js";

/** Reads a JSON body of text fields; what does not fit is a 422, as FastAPI words it. */
export async function readJsonBody<Body>(request: Request, schema: z.ZodType<Body>): Promise<Body> {
  if (!request.headers.get("content-type")?.includes("json")) {
    const msg = "Input should be a valid dictionary or object to extract fields from";
    throw unprocessable([{ type: "model_attributes_type", loc: ["body"], msg }]);
  }

  const parsed = schema.safeParse(await readJson(request), { reportInput: true });
  if (parsed.success) return parsed.data;

  const [issue] = parsed.error.issues;
  const isMissing = issue?.input === undefined;
  throw unprocessable([
    {
      type: isMissing ? "missing" : "string_type",
      loc: ["body", ...(issue?.path ?? []).map(String)],
      msg: isMissing ? "Field required" : "Input should be a valid string",
    },
  ]);
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw unprocessable([{ type: "json_invalid", loc: ["body"], msg: "JSON decode error" }]);
  }
}
