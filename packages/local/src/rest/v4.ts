import type { Context, Hono } from "hono";
import { dashboardProjectId } from "./credentials.js";
import { RestError } from "./errors.js";
import { parseListQuery } from "./list-query.js";
import { addRoute, type RestOptions } from "./routes.js";
import { traceDetail, traceList } from "./traces.js";

/** Lists and whole traces, at the paths of AgentOps' first `/v4` and of today's. */
export function addV4Routes(app: Hono, { store, tokens }: RestOptions): void {
  addRoute(app, "GET", "/v4/traces", async (context) => {
    return await list(context, await dashboardProjectId(context, tokens));
  });

  addRoute(app, "GET", "/v4/traces/list/:projectId", async (context) => {
    const projectId = await dashboardProjectId(context, tokens);
    if (context.req.param("projectId")?.toLowerCase() !== projectId) {
      throw new RestError(404, { detail: "Project not found" });
    }
    return await list(context, projectId);
  });

  addRoute(app, "GET", "/v4/traces/detail/:traceId", detail);
  addRoute(app, "GET", "/v4/traces/:traceId", detail);

  async function list(context: Context, projectId: string) {
    const query = parseListQuery(context.req.query());
    return traceList(query, await store.listTraces(projectId, query));
  }

  async function detail(context: Context) {
    const projectId = await dashboardProjectId(context, tokens);
    const trace = await store.trace(projectId, context.req.param("traceId") ?? "");
    if (!trace) throw new RestError(404, { detail: "Trace not found." });
    return traceDetail({ projectId, trace, spans: await store.traceSpans(projectId, trace) });
  }
}
