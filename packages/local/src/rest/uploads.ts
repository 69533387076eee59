import { randomUUID } from "node:crypto";
import type { Context, Hono } from "hono";
import { BodyTooLargeError, readLimited } from "../body.js";
import type { UploadKind } from "../store/index.js";
import { dashboardProjectId, uploadProjectId } from "./credentials.js";
import { RestError } from "./errors.js";
import { addRoute, type RestOptions } from "./routes.js";
import { logTraceId } from "./trace-id.js";

/** AgentOps' own limit. */
export const MAX_UPLOAD_BYTES = 26_214_400;

/** What an SDK uploads beside its spans: the run's output, and objects that spans refer to. */
export function addUploadRoutes(app: Hono, options: RestOptions): void {
  const { store, tokens } = options;

  for (const path of ["/v4/logs/upload/", "/v4/logs/upload"]) {
    addRoute(app, "POST", path, async (context) => {
      const projectId = await uploadProjectId(context, options);
      const traceId = readTraceId(context);
      return await upload(context, projectId, { kind: "log", id: traceId, path: "/v4/logs/" });
    });
  }

  for (const path of ["/v4/objects/upload/", "/v4/objects/upload"]) {
    addRoute(app, "POST", path, async (context) => {
      const projectId = await uploadProjectId(context, options);
      const id = randomUUID().replaceAll("-", "");
      return await upload(context, projectId, { kind: "object", id, path: "/v4/objects/" });
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

  async function upload(
    context: Context,
    projectId: string,
    { kind, id, path }: { kind: UploadKind; id: string; path: string },
  ) {
    const content = await readUpload(context.req.raw);
    await store.addUpload(projectId, { kind, id, content });
    return { url: new URL(path + id, context.req.url).href, size: content.length };
  }
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
  return logTraceId(text, "decimal");
}

async function readUpload(request: Request): Promise<Uint8Array> {
  try {
    return await readLimited(request, MAX_UPLOAD_BYTES);
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    throw new RestError(413, {
      detail: `File size exceeds the maximum limit of ${MAX_UPLOAD_BYTES} bytes`,
    });
  }
}
