import { endUnixMs, type Trace } from "../trace/trace.js";
import type { RawList } from "./client.js";
import { ApiError, orApiError } from "./errors.js";
import { mapConcurrent } from "./map-concurrent.js";
import { parseTrace } from "./parse-trace.js";
import type { Reader } from "./reader.js";
import { readOf, routes } from "./routes.js";
import { notFound } from "./verdict.js";

export interface ListOptions {
  readonly limit: number;
  /** What else is asked of the server's list, as a query such as `&offset=100`. */
  readonly filter?: string;
  readonly maxInFlight: number;
  /** Newest first. */
  readonly knownTraceIds: () => Promise<readonly string[]>;
}

/** The most recent traces as the server lists them, else the runs that this machine knows. */
export async function readList(reader: Reader, options: ListOptions): Promise<RawList> {
  const query = `limit=${options.limit}${options.filter ?? ""}`;
  const projectId = await reader.projectId();
  const listed = await reader.firstAnswer([
    { route: routes.traces, path: `/v4/traces?${query}` },
    ...(projectId
      ? [
          readOf(routes.tracesOfProject, projectId, `&${query}`),
          readOf(routes.projectTraces, projectId, `?${query}`),
        ]
      : []),
  ]);
  return listed ? { ...listed, isOfKnownRuns: false } : readKnownRuns(reader, options);
}

/**
 * Lists runs by reading each one, in the shape of the server's list. Ids that turn out not to be the
 * project's are passed over; `total` is how many others this machine knows, not how many there are.
 */
async function readKnownRuns(reader: Reader, options: ListOptions): Promise<RawList> {
  const ids = await options.knownTraceIds();

  async function readRun(id: string): Promise<Trace> {
    const answer = await reader.firstAnswer([readOf(routes.publicTrace, id)]);
    if (!answer) throw notFound();
    return parseTrace(answer.body);
  }
  const runs = await mapConcurrent(ids.slice(0, options.limit), options.maxInFlight, (id) =>
    orApiError(readRun(id)),
  );

  const traces = runs.flatMap((run) => (run instanceof ApiError ? [] : toRow(run)));
  if (traces.length === 0) throw runs.find(isWorthTelling) ?? listingUnavailable();
  const total = ids.length - runs.filter(isForeign).length;
  const list = { traces, total, limit: options.limit, source: "agentops.log" };
  const source = `agentops.log, ${routes.publicTrace}`;
  return { body: JSON.stringify(list), source, isOfKnownRuns: true };
}

function isForeign(run: Trace | ApiError): boolean {
  return run instanceof ApiError && run.code === "not_found";
}

function isWorthTelling(run: Trace | ApiError): run is ApiError {
  return run instanceof ApiError && !isForeign(run);
}

function toRow({ traceId, tags, spans }: Trace) {
  const [first] = spans;
  const root = spans.find(({ parentSpanId }) => parentSpanId === undefined) ?? first;
  const startUnixMs = first?.startUnixMs ?? 0;
  const lastEndUnixMs = spans.reduce((end, span) => Math.max(end, endUnixMs(span)), startUnixMs);

  return {
    trace_id: traceId,
    root_span_name: root?.name ?? "",
    start_time: new Date(startUnixMs).toISOString(),
    end_time: new Date(lastEndUnixMs).toISOString(),
    // Nanoseconds like the server's, of which the millisecond doubles hold whole microseconds.
    duration: Math.round((lastEndUnixMs - startUnixMs) * 1e3) * 1e3,
    span_count: spans.length,
    error_count: spans.filter(({ status }) => status === "error").length,
    tags,
  };
}

function listingUnavailable(): ApiError {
  return new ApiError(
    "listing_unavailable",
    "This AgentOps deployment lists traces to signed-in dashboard users only, and no runs are known on this machine.",
    "Give a trace_id to trace_detail: it is in the link that the AgentOps SDK prints. To list traces, set AGENTOPS_SESSION_COOKIE to the dashboard's session_id cookie, set AGENTOPS_LOG_FILE to the SDK's agentops.log, or send runs to agentops-local, which lists them.",
  );
}
