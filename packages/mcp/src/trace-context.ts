import { TRACEPARENT_META_KEY, TRACESTATE_META_KEY } from "@modelcontextprotocol/server";
import * as z from "zod";
import type { TraceContext } from "./api/agentops.js";

/** W3C Trace Context §3.2 and §3.3; what is longer or malformed is dropped, as it asks. */
const traceContextSchema = z.object({
  [TRACEPARENT_META_KEY]: z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/),
  [TRACESTATE_META_KEY]: z
    .string()
    .regex(/^[\x20-\x7e]{1,512}$/)
    .optional()
    .catch(undefined),
});

/** The trace that a request says it is part of. Well-formed only: it goes into HTTP headers as it is. */
export function parseTraceContext(meta: unknown): TraceContext | undefined {
  const { success, data } = traceContextSchema.safeParse(meta);
  if (!success) return undefined;

  const { [TRACEPARENT_META_KEY]: traceparent, [TRACESTATE_META_KEY]: tracestate } = data;
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}
