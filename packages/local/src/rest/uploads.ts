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
  const { store, tokens, forwarder, admission } = options;

  for (const path of ["/v4/logs/upload/", "/v4/logs/upload"]) {
    addRoute(app, "POST", path, async (context) => {
      const { projectId, forwardKey } = await uploader(context, options);
      const id = logTraceId(readTraceId(context), "decimal");
      return await admission.admit(async (takeRoom) => {
        const content = await readUpload(context.req.raw, takeRoom);
        await store.addUpload(projectId, { kind: "log", id, content });
        if (forwardKey) await forwardLog(context, forwardKey, content);
        return uploaded(context, `/v4/logs/${id}`, content);
      });
    });
  }

  for (const path of ["/v4/objects/upload/", "/v4/objects/upload"]) {
    addRoute(app, "POST", path, async (context) => {
      const { projectId } = await uploader(context, options);
      const id = randomUUID().replaceAll("-", "");
      return await admission.admit(async (takeRoom) => {
        const content = await readUpload(context.req.raw, takeRoom);
        await store.addUpload(projectId, { kind: "object", id, content });
        return uploaded(context, `/v4/objects/${id}`, content);
      });
    });
  }

  addRoute(app, "GET", "/v4/logs/:traceId", async (context) => {
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
  });

  addRoute(app, "GET", "/v4/objects/:objectId", async (context) => {
    const projectId = await dashboardProjectId(context, tokens);
    const content = await store.upload(projectId, "object", context.req.param("objectId") ?? "");
    if (!content) throw new RestError(404, { detail: "Object not found" });
    return new Response(new Uint8Array(content), { headers: bytesHeaders });
  });

  /** Objects stay here: the cloud would give them another URL than the one that the span holds. */
  async function forwardLog(context: Context, apiKey: string, body: Uint8Array): Promise<void> {
    const contentType = context.req.header("content-type") ?? "application/json";
    const headers = { "content-type": contentType, "trace-id": readTraceId(context) };
    await forwarder?.add({ target: "api", path: "/v4/logs/upload/", headers, apiKey, body });
  }
}

function uploaded(context: Context, path: string, content: Uint8Array) {
  return { url: new URL(path, context.req.url).href, size: content.length };
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
