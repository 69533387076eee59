import type { Span, Trace } from "../trace/trace.js";

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
 * Every method throws `ApiError`, and stops its requests when `signal` aborts.
 */
export interface AgentOpsClient {
  /** The most recent traces, newest first, raw. `limit` is 1 to 100. */
  listTraces(options: { readonly limit: number }, signal: AbortSignal): Promise<RawAnswer>;
  /** One trace with all its spans, raw: one body where the deployment has it, else merged from span reads. */
  traceDetail(traceId: string, signal: AbortSignal): Promise<RawAnswer>;
  /** The same read as {@link traceDetail}, parsed into the domain. */
  getTrace(traceId: string, signal: AbortSignal): Promise<Trace>;
  /** One span with its attributes. Deployments without `/public/v1` need to know its trace. */
  getSpan(ref: SpanRef, signal: AbortSignal): Promise<Span>;
  /** Token and cost sums over all spans of a trace, as the server counts them. */
  getTraceMetrics(traceId: string, signal: AbortSignal): Promise<TraceMetrics>;
  /** What this deployment offers beyond AgentOps' own API; empty for most. */
  capabilities(signal: AbortSignal): Promise<ReadonlySet<string>>;
}

export interface SpanRef {
  readonly spanId: string;
  readonly traceId?: string | undefined;
}

/** AgentOps adds up all spans, so a parent that carries the sum of its children counts twice. */
export interface TraceMetrics {
  readonly spanCount: number;
  readonly successCount: number;
  readonly failCount: number;
  /** Spans whose status was never set, which is how most successful spans end. */
  readonly indeterminateCount: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cacheReadInputTokens: number;
  readonly reasoningTokens: number;
  readonly totalTokens: number;
  readonly promptCostUsd: number;
  readonly completionCostUsd: number;
  readonly totalCostUsd: number;
}
