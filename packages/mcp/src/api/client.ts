import type { SpanFilter } from "../trace/find.js";
import type { MetricsGroup, MetricsRow } from "../trace/metrics.js";
import type { Span, Trace } from "../trace/trace.js";
import type { Cost } from "../trace/usage.js";

/** A response body exactly as the server sent it, and where it came from. */
export interface RawAnswer {
  readonly body: string;
  /** The route that answered, such as `GET /v4/traces`; for merged answers, all of them. */
  readonly source: string;
}

export interface RawList extends RawAnswer {
  /** Made from the runs that this machine knows, because the deployment lists none. */
  readonly isOfKnownRuns: boolean;
}

/**
 * Reads one AgentOps deployment with one credential. Cloud, self-hosted and local differ in the URL
 * alone; what only some offer is found out per base URL and hidden here.
 *
 * Every method that reads throws `ApiError`, and stops its requests when `signal` aborts.
 */
export interface AgentOpsClient {
  /** The most recent traces, newest first, raw. `limit` is 1 to 100. */
  listTraces(options: { readonly limit: number }, signal: AbortSignal): Promise<RawList>;
  /** A page of the list, parsed. Only some deployments heed more than `limit`: look at the rows. */
  listPage(query: PageQuery, signal: AbortSignal): Promise<TracePage>;
  /** One trace with all its spans, raw: one body where the deployment has it, else merged from span reads. */
  traceDetail(traceId: string, signal: AbortSignal): Promise<RawAnswer>;
  /** The same read as {@link traceDetail}, parsed into the domain. */
  getTrace(traceId: string, signal: AbortSignal): Promise<Trace>;
  /** One span with its attributes. Deployments without `/public/v1` need to know its trace. */
  getSpan(ref: SpanRef, signal: AbortSignal): Promise<Span>;
  /** Token and cost sums over all spans of a trace, as the server counts them. */
  getTraceMetrics(traceId: string, signal: AbortSignal): Promise<TraceMetrics>;
  /** What the traced program printed, as far as its SDK uploaded it. */
  traceLog(traceId: string, signal: AbortSignal): Promise<TraceLog>;
  /** A page of what matches in all traces; undefined without the capability `spans.search`. */
  searchSpans(search: SpanSearch, signal: AbortSignal): Promise<SpanPage | undefined>;
  /** Figures over traces that the database adds up; undefined where it cannot, or would differ from their trees. */
  spanMetrics(
    query: SpanMetricsQuery,
    signal: AbortSignal,
  ): Promise<readonly MetricsRow[] | undefined>;

  /** What this deployment offers beyond AgentOps' own API; empty for most. */
  capabilities(signal: AbortSignal): Promise<ReadonlySet<string>>;
  /** Where people look at a trace; undefined where this deployment's dashboard is not known. */
  dashboardUrl(traceId: string): string | undefined;
}

/** Times are milliseconds since the Unix epoch. */
export interface PageQuery {
  /** 1 to 100. */
  readonly limit: number;
  readonly offset: number;
  readonly sinceUnixMs?: number | undefined;
  readonly untilUnixMs?: number | undefined;
  /** Part of a trace id, a root span's name or a tag. */
  readonly text?: string | undefined;
}

export interface TracePage extends Omit<RawList, "body"> {
  /** Newest first. */
  readonly rows: readonly TraceRow[];
  /** How many traces the server has, where it says so. */
  readonly total: number | undefined;
}

/**
 * What a list says about a trace; undefined where this deployment does not say it. AgentOps does not
 * count calls without a known price: there a cost may be too low, and one of 0 is taken as not known.
 */
export interface TraceRow extends Cost {
  readonly traceId: string;
  readonly rootSpanName: string;
  readonly tags: readonly string[];
  readonly startUnixMs: number;
  /** AgentOps counts up to the start of the last span, so its durations are too short. */
  readonly durationMs: number | undefined;
  readonly spanCount: number | undefined;
  readonly errorCount: number | undefined;
  /** The row as the server sent it. */
  readonly wire: Readonly<Record<string, unknown>>;
}

/** Every part that is given must hold; texts match in any case. */
export interface SpanSearch
  extends Pick<
    SpanFilter,
    "name" | "agentopsKind" | "model" | "tool" | "status" | "minDurationMs" | "attributes"
  > {
  /** Part of the name, the status message, or the value of an attribute or event attribute. */
  readonly text?: string | undefined;
  /** Spans that started then or later; milliseconds since the Unix epoch. */
  readonly sinceUnixMs?: number | undefined;
  /** The `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

export interface SpanPage {
  /** Of each span found, newest first: a trace comes as often as it holds one. */
  readonly traceIds: readonly string[];
  /** Undefined on the last page. */
  readonly nextCursor: string | undefined;
}

export interface SpanMetricsQuery {
  /** All but `agent`: only a tree knows what ran for one. */
  readonly group: Exclude<MetricsGroup, "agent">;
  /** Up to 100. */
  readonly traceIds: readonly string[];
  /** Before which none of them has a span; milliseconds since the Unix epoch. */
  readonly sinceUnixMs: number;
}

export interface TraceLog {
  readonly text: string;
  readonly isTruncatedByPlan: boolean;
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
