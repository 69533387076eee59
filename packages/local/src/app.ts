import { Hono, type HonoRequest } from "hono";
import { HTTPException } from "hono/http-exception";
import { createAdmission, NoRoomError } from "./admission.js";
import { BodyBrokenOffError } from "./body.js";
import { addExporter } from "./otlp/exporter.js";
import { createReceiver, RETRY_AFTER_SECONDS, type ReceiverOptions } from "./otlp/receiver.js";
import { createRestApi } from "./rest/api.js";
import type { RestOptions } from "./rest/routes.js";
import { DiskFullError, MemoryLimitError } from "./store/index.js";

export interface AppOptions
  extends Omit<RestOptions, "admission">,
    Omit<ReceiverOptions, keyof RestOptions | "onAnonymousExport"> {
  /** Host names by which this server may be addressed; undefined for any. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Whatever would be stored is refused. */
  readonly isReadOnly: boolean;
}

/** Everything that is served, as one `fetch`. */
export function createApp(options: AppOptions): Hono {
  const app = new Hono();
  const parts = { ...options, admission: createAdmission() };

  app.use(async ({ req, header }, next) => {
    if (!isAllowed(new URL(req.url).hostname, options.allowedHosts)) {
      return Response.json(
        { detail: "This host name is not served here. Use localhost, or start with --host." },
        { status: 403 },
      );
    }
    if (req.method === "POST" && isOfForeignPage(req, options)) {
      return Response.json(
        { detail: "Pages of other sites may send nothing here without a token." },
        { status: 403 },
      );
    }
    if (options.isReadOnly && isWrite(req)) {
      return Response.json(
        { detail: "This server only reads an AgentOps database (--read-only): send to AgentOps." },
        { status: 403 },
      );
    }
    await next();
    for (const [name, value] of Object.entries(noStore)) header(name, value);
    return;
  });

  let anonymousExportCount = 0;
  const onAnonymousExport = () => {
    anonymousExportCount += 1;
  };
  app.route("/", createReceiver({ ...parts, onAnonymousExport }));
  addExporter(app, options);
  app.route(
    "/",
    createRestApi(parts, () => anonymousExportCount),
  );
  app.notFound(() => Response.json({ detail: "Not Found" }, { status: 404 }));
  app.onError((error, { req }) => {
    const isAlone = error instanceof BodyBrokenOffError || req.raw.signal.aborted;
    return isAlone ? new Response(null, { status: 408 }) : answerError(error, options);
  });
  return app;
}

function answerError(error: Error, { onError }: Pick<AppOptions, "onError">): Response {
  if (error instanceof HTTPException) return error.getResponse();
  if (error instanceof NoRoomError) return sendAgain(429, error);
  // Not to be asked again as it is, which a 503 would be.
  if (error instanceof MemoryLimitError) {
    return Response.json({ detail: error.message }, { status: 413 });
  }
  onError(error);
  if (error instanceof DiskFullError) return sendAgain(503, error);
  return Response.json({ error: "Internal Server Error" }, { status: 500 });
}

function sendAgain(status: 429 | 503, { message }: Error): Response {
  const headers = { "retry-after": String(RETRY_AFTER_SECONDS) };
  return Response.json({ detail: message }, { status, headers });
}

/** What a key is exchanged by, and MCP, store nothing. */
const readingPosts = ["/v3/auth/token", "/public/v1/auth/access_token", "/mcp"];

function isWrite({ method, path }: HonoRequest): boolean {
  return method === "POST" && !readingPosts.includes(path);
}

/** AgentOps sends these with every answer. */
const noStore = {
  "cache-control": "no-store, no-cache, must-revalidate, max-age=0",
  pragma: "no-cache",
  expires: "0",
};

/**
 * The default project's key is known to all, so on loopback a page in the user's browser must not
 * reach this server by giving its own name the address 127.0.0.1.
 */
function isAllowed(hostname: string, allowedHosts: AppOptions["allowedHosts"]): boolean {
  return allowedHosts?.includes(hostname) ?? true;
}

/**
 * What a page sends to another site reaches it, though the page reads no answer. Browsers say whose page it is.
 * With `Authorization` they ask first, by an `OPTIONS` that nothing here answers with a yes.
 */
function isOfForeignPage(
  request: HonoRequest,
  { allowedHosts = [new URL(request.url).hostname] }: Pick<AppOptions, "allowedHosts">,
): boolean {
  const origin = request.header("origin");
  if (origin === undefined || request.header("authorization") !== undefined) return false;
  if (!URL.canParse(origin)) return true;
  return !isAllowed(new URL(origin).hostname, allowedHosts);
}
