import { randomUUID } from "node:crypto";
import type { Context, Hono } from "hono";
import type { TakeRoom } from "../admission.js";
import { BodyTooLargeError, readLimited } from "../body.js";
import { dashboardProjectId, uploader } from "./credentials.js";
import { RestError } from "./errors.js";
import { addRoute, type RestOptions } from "./routes.js";
import { logTraceId } from "./trace-id.js";

/** AgentOps' own limit. */
export const MAX_UPLOAD_BYTES = 26_214_400;

/** What an SDK uploads beside its spans: the run's output, and objects that spans refer to. */
export function addUploadRoutes(app: Hono, options: RestOptions): void {
  for (const kind of ["log", "object"] as const) {
    for (const path of [`/v4/${kind}s/upload/`, `/v4/${kind}s/upload`]) {
      addRoute(app, "POST", path, (context) => receiveUpload(context, kind, options));
    }
  }
  addRoute(app, "GET", "/v4/logs/:traceId", (context) => answerLog(context, options));
  addRoute(app, "GET", "/v4/objects/:objectId", (context) => answerObject(context, options));
}

/** Objects are not forwarded: the cloud would give them another URL than the one that the span holds. */
async function receiveUpload(context: Context, kind: "log" | "object", options: RestOptions) {
  const { store, forwarder, admission } = options;
  const { projectId, forwardKey } = await uploader(context, options);
  const isLog = kind === "log";
  const id = isLog ? logTraceId(readTraceId(context), "decimal") : randomUUID().replaceAll("-", "");
  return await admission.admit(async (takeRoom) => {
    const content = await readUpload(context.req.raw, takeRoom);
    await store.addUpload(projectId, { kind, id, content });
    if (isLog && forwardKey) {
      await forwarder?.add({ ...logRequest(context), apiKey: forwardKey, body: content });
    }
    return { url: new URL(`/v4/${kind}s/${id}`, context.req.url).href, size: content.length };
  });
}

/** As the SDK sent it. */
function logRequest(context: Context) {
  const contentType = context.req.header("content-type") ?? "application/json";
  const headers = { "content-type": contentType, "trace-id": readTraceId(context) };
  return { target: "api", path: "/v4/logs/upload/", headers } as const;
}

async function answerLog(context: Context, { store, tokens }: RestOptions) {
  const projectId = await dashboardProjectId(context, tokens);
  const asked = context.req.param("traceId") ?? "";
  const traceId = logTraceId(asked, "hex");
  const content = await store.upload(projectId, "log", traceId);
  if (content) {
    const text = new TextDecoder().decode(content);
    return { freeplan_truncated: false, content: text, trace_id: asked };
  }
  if (!(await store.trace(projectId, traceId))) {
    throw new RestError(403, { detail: "You do not have access to this trace" });
  }
  throw new RestError(404, { detail: `No logs found for trace ID: ${asked}` });
}

async function answerObject(context: Context, { store, tokens }: RestOptions): Promise<Response> {
  const projectId = await dashboardProjectId(context, tokens);
  const content = await store.upload(projectId, "object", context.req.param("objectId") ?? "");
  if (!content) throw new RestError(404, { detail: "Object not found" });
  return new Response(new Uint8Array(content), { headers: bytesHeaders });
}

/** Uploads come from anywhere: a browser must not take one for a page of this server. */
const bytesHeaders = {
  "content-type": "application/octet-stream",
  "x-content-type-options": "nosniff",
};

function readTraceId(context: Context): string {
  const text = context.req.header("trace-id");
  if (!text) throw new RestError(400, { detail: "No trace ID provided" });
  if (!/^[A-Za-z0-9_.-]+$/.test(text)) {
    throw new RestError(400, { detail: "Trace ID contains invalid characters" });
  }
  return text;
}

async function readUpload(request: Request, takeRoom: TakeRoom): Promise<Uint8Array> {
  try {
    return await readLimited(request, { maxBytes: MAX_UPLOAD_BYTES, takeRoom });
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new RestError(413, {
      detail: `File size exceeds the maximum limit of ${MAX_UPLOAD_BYTES} bytes`,
    });
  }
}
