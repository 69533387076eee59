import type { Context, Hono } from "hono";
import { dashboardProjectId } from "./credentials.js";
import { RestError } from "./errors.js";
import { parseListQuery, parseTimeRange } from "./list-query.js";
import { projectMetrics } from "./project-metrics.js";
import { addRoute, type RestOptions } from "./routes.js";
import { traceDetail, traceList } from "./traces.js";

/** Lists, whole traces and a project's figures, at the paths of AgentOps' first `/v4` and of today's. */
export function addV4Routes(app: Hono, { store, tokens }: RestOptions): void {
  addRoute(app, "GET", "/v4/traces", async (context) => {
    return await list(context, await dashboardProjectId(context, tokens));
  });

  addRoute(app, "GET", "/v4/traces/list/:projectId", async (context) => {
    return await list(context, await projectInPath(context));
  });

  // The path is AgentOps' own spelling.
  addRoute(app, "GET", "/v4/meterics/project/:projectId", async (context) => {
    const projectId = await projectInPath(context);
    const range = parseTimeRange(context.req.queries());
    return projectMetrics(projectId, await store.projectMetrics(projectId, range));
  });

  addRoute(app, "GET", "/v4/traces/detail/:traceId", detail);
  addRoute(app, "GET", "/v4/traces/:traceId", detail);

  async function projectInPath(context: Context): Promise<string> {
    const projectId = await dashboardProjectId(context, tokens);
    if (context.req.param("projectId")?.toLowerCase() === projectId) return projectId;
    throw new RestError(404, { detail: "Project not found" });
  }

  async function list(context: Context, projectId: string) {
    const query = parseListQuery(context.req.queries());
    return traceList(query, await store.listTraces(projectId, query));
  }

  async function detail(context: Context) {
    const projectId = await dashboardProjectId(context, tokens);
    const traceId = context.req.param("traceId") ?? "";
    const pages = store.traceSpans(projectId, traceId);
    const answer = await traceDetail(projectId, traceId, { pages, request: context.req.raw });
    if (!answer) throw new RestError(404, { detail: "Trace not found." });
    return answer;
  }
}
