import type { Trace } from "../trace/trace.js";

/** A response body exactly as the server sent it, and where it came from. */
export interface RawAnswer {
  readonly body: string;
  /** The route that answered, such as `GET /v4/traces`; for merged answers, all of them. */
  readonly source: string;
}

/**
 * Reads one AgentOps deployment with one credential. Cloud, self-hosted and local differ in the URL
 * alone; what only some offer is found out per base URL and hidden here.
 *
 * Every method throws {@link ApiError}, and stops its requests when `signal` aborts.
 */
export interface AgentOpsClient {
  /** The most recent traces, newest first, raw. `limit` is 1 to 100. */
  listTraces(options: { readonly limit: number }, signal: AbortSignal): Promise<RawAnswer>;
  /** One trace with all its spans, raw: one body where the deployment has it, else merged from span reads. */
  traceDetail(traceId: string, signal: AbortSignal): Promise<RawAnswer>;
  /** The same read as {@link traceDetail}, parsed into the domain. */
  getTrace(traceId: string, signal: AbortSignal): Promise<Trace>;
}
