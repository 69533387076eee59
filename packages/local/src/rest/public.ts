import type { Hono } from "hono";
import { publicProjectId } from "./credentials.js";
import { RestError } from "./errors.js";
import { spanMetrics, traceMetrics } from "./metrics.js";
import { addRoute, type RestOptions } from "./routes.js";
import { spanView } from "./spans.js";
import { traceView } from "./traces.js";

/** The machine API: reads by id, for the bearer of a token. */
export function addPublicRoutes(app: Hono, { store, tokens }: RestOptions): void {
  addRoute(app, "GET", "/public/v1/project", async (context) => {
    const project = await store.projects.byId(await publicProjectId(context, tokens));
    if (!project) throw new RestError(404, { detail: "Project not found" });
    const { id, name, environment } = project;
    return { id, name, environment };
  });

  addRoute(app, "GET", "/public/v1/traces/:traceId", async (context) => {
    const projectId = await publicProjectId(context, tokens);
    const traceId = context.req.param("traceId") ?? "";
    const pages = store.traceHeads(projectId, traceId);
    const answer = await traceView(projectId, traceId, { pages, request: context.req.raw });
    if (!answer) throw traceNotFound();
    return answer;
  });

  addRoute(app, "GET", "/public/v1/traces/:traceId/metrics", async (context) => {
    const projectId = await publicProjectId(context, tokens);
    const trace = await store.trace(projectId, context.req.param("traceId") ?? "");
    if (!trace) throw traceNotFound();
    return traceMetrics(trace);
  });

  addRoute(app, "GET", "/public/v1/spans/:spanId", async (context) => {
    const projectId = await publicProjectId(context, tokens);
    const span = await store.span(projectId, context.req.param("spanId") ?? "");
    if (!span) throw spanNotFound();
    return spanView(span);
  });

  addRoute(app, "GET", "/public/v1/spans/:spanId/metrics", async (context) => {
    const projectId = await publicProjectId(context, tokens);
    const usage = await store.spanUsage(projectId, context.req.param("spanId") ?? "");
    if (!usage) throw spanNotFound();
    return spanMetrics(usage);
  });
}

function spanNotFound(): RestError {
  return new RestError(404, { detail: "Span not found" });
}

function traceNotFound(): RestError {
  return new RestError(404, { detail: "Trace not found" });
}
