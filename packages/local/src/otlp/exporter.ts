import type { Hono, HonoRequest } from "hono";
import { z } from "zod";
import {
  MAX_PAGE_SPANS,
  MAX_UNIX_NANO,
  type SpanGroupPosition,
  type Store,
} from "../store/index.js";
import type { Tokens } from "../tokens.js";
import { fallbackEncoding } from "./encoding.js";
import { ExportError } from "./export-error.js";
import { validSpanId, validTraceId } from "./export-request.js";
import { writeLines } from "./write-lines.js";

export interface ExporterOptions {
  readonly store: Pick<Store, "spanGroups">;
  readonly tokens: Pick<Tokens, "verify">;
}

/** How many spans a page has, so that who passes it on need not read it. */
export const SPAN_COUNT_HEADER = "x-agentops-span-count";

/**
 * What came in at `POST /v1/traces`, of the token's project, in a form that goes in there again. It comes
 * in pages, each with a `Link` to the next: a stream that breaks off looks like one that has ended.
 */
export function addExporter(app: Hono, { store, tokens }: ExporterOptions): void {
  app.get("/v1/traces", async ({ req }) => {
    try {
      const projectId = await projectOf(req.header("authorization"), tokens);
      const { after, ...query } = parseQuery(req);
      const { groups, next } = await store.spanGroups(projectId, query, after);
      const spanCount = groups.reduce((sum, { spans }) => sum + spans.length, 0);
      const headers = new Headers({
        "content-type": "application/x-ndjson",
        [SPAN_COUNT_HEADER]: String(spanCount),
      });
      if (next) headers.set("link", `<${nextPath(req.url, next)}>; rel="next"`);
      return new Response([...writeLines(groups)].join(""), { headers });
    } catch (error) {
      if (!(error instanceof ExportError)) throw error;
      const { contentType, encodeError } = fallbackEncoding;
      const headers = { "content-type": contentType };
      return new Response(encodeError(error), { status: error.status, headers });
    }
  });
}

function nextPath(url: string, position: SpanGroupPosition): string {
  const { pathname, searchParams } = new URL(url);
  const { startUnixNano, traceId, spanId, firstUnixNano, limit } = position;
  searchParams.set("cursor", [startUnixNano, traceId, spanId, firstUnixNano, limit].join("."));
  return `${pathname}?${searchParams}`;
}

async function projectOf(header: string | undefined, tokens: ExporterOptions["tokens"]) {
  const token = /^bearer\s+(.+)$/i.exec(header ?? "")?.[1];
  try {
    return (await tokens.verify(token ?? "")).projectId;
  } catch (cause) {
    throw new ExportError(401, "Send the token of POST /v3/auth/token as Bearer.", { cause });
  }
}

const unixNano = z
  .string()
  .regex(/^\d{1,19}$/)
  .transform(BigInt)
  .pipe(z.bigint().max(MAX_UNIX_NANO));

/** Its parts, in the order of `nextPath`. */
const cursor = z
  .string()
  .transform((text) => text.split("."))
  .pipe(
    z.tuple([
      unixNano,
      z.string().regex(validTraceId),
      z.string().regex(validSpanId),
      unixNano,
      z
        .string()
        .regex(/^[1-9]\d{0,3}$/)
        .transform((limit) => Math.min(Number(limit), MAX_PAGE_SPANS)),
    ]),
  )
  .transform(([startUnixNano, traceId, spanId, firstUnixNano, limit]): SpanGroupPosition => {
    return { startUnixNano, traceId, spanId, firstUnixNano, limit };
  });

const querySchema = z.strictObject({
  trace_id: z.array(z.string().toLowerCase().regex(validTraceId)).default([]),
  start_time_unix_nano: unixNano.optional(),
  end_time_unix_nano: unixNano.optional(),
  cursor: cursor.optional(),
});

function parseQuery(request: HonoRequest) {
  const { data } = querySchema.safeParse({
    ...request.query(),
    trace_id: request.queries("trace_id"),
  });
  if (!data) {
    throw new ExportError(
      400,
      "trace_id must be 32 hex digits, start_time_unix_nano and end_time_unix_nano must be nanoseconds since 1970, cursor that of a Link; there are no other parameters.",
    );
  }
  return {
    traceIds: data.trace_id,
    fromUnixNano: data.start_time_unix_nano,
    untilUnixNano: data.end_time_unix_nano,
    after: data.cursor,
  };
}
