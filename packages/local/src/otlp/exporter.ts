import type { Hono, HonoRequest } from "hono";
import { z } from "zod";
import type { SpanGroupPosition, Store } from "../store/index.js";
import type { Tokens } from "../tokens.js";
import { fallbackEncoding } from "./encoding.js";
import { ExportError } from "./export-error.js";
import { exportLines } from "./export-lines.js";
import { MAX_UNIX_NANO } from "./export-request.js";

export interface ExporterOptions {
  readonly store: Pick<Store, "spanGroups">;
  readonly tokens: Pick<Tokens, "verify">;
}

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
      const headers = new Headers({ "content-type": "application/x-ndjson" });
      if (next) headers.set("link", `<${nextPath(req.url, next)}>; rel="next"`);
      return new Response([...exportLines(groups)].join(""), { headers });
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

const cursor = z
  .string()
  .regex(/^\d+\.[^.]+\.[^.]+\.\d+\.[1-9]\d{0,3}$/)
  .transform((text): SpanGroupPosition => {
    const [startUnixNano = "", traceId = "", spanId = "", firstUnixNano = "", limit] =
      text.split(".");
    return {
      startUnixNano: BigInt(startUnixNano),
      traceId,
      spanId,
      firstUnixNano: BigInt(firstUnixNano),
      limit: Number(limit),
    };
  });

const querySchema = z.object({
  trace_id: z.array(z.string().toLowerCase()).default([]),
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
      "start_time_unix_nano and end_time_unix_nano must be nanoseconds since 1970, cursor that of a Link.",
    );
  }
  return {
    traceIds: data.trace_id,
    fromUnixNano: data.start_time_unix_nano,
    untilUnixNano: data.end_time_unix_nano,
    after: data.cursor,
  };
}
