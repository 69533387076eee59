import type { Read } from "./reader.js";
import { notFound } from "./verdict.js";

/** The routes read by name; what a server lacks is remembered under these. */
export const routes = {
  traces: "GET /v4/traces",
  /** The generation between the other two: the project is a parameter. */
  tracesOfProject: "GET /v4/traces?project_id={project_id}",
  projectTraces: "GET /v4/traces/list/{project_id}",
  trace: "GET /v4/traces/{trace_id}",
  traceDetail: "GET /v4/traces/detail/{trace_id}",
  traceLog: "GET /v4/logs/{trace_id}",
  publicTrace: "GET /public/v1/traces/{trace_id}",
  publicTraceMetrics: "GET /public/v1/traces/{trace_id}/metrics",
  publicSpan: "GET /public/v1/spans/{span_id}",
  /** Where `/health` lists `spans.search`. */
  spanSearch: "GET /v4/spans/search",
  /** Where it lists `spans.metrics`. */
  spanMetrics: "GET /v4/spans/metrics",
} as const;

/** Real ids have 16 to 36 characters. */
const MAX_ID_LENGTH = 200;

/** Fills an id into a route. @throws ApiError `not_found` for text that cannot be one path segment */
export function readOf(route: string, id: string, query = ""): Read {
  const path = route.replace("GET ", "").replace(/\{\w+\}/, () => pathSegment(id));
  return { route, path: path + query };
}

/** A caller's id must stay the one segment it is: URLs resolve `.` and `..` even when they are encoded. */
function pathSegment(id: string): string {
  // A lone surrogate has no encoding.
  const isSegment = /^(?!\.{1,2}$)\P{Surrogate}+$/u.test(id) && id.length <= MAX_ID_LENGTH;
  if (!isSegment) throw notFound();
  return encodeURIComponent(id);
}
