import { createHash } from "node:crypto";
import type { SpanFilter } from "../trace/find.js";
import type { MetricsGroup, MetricsRow } from "../trace/metrics.js";
import type { Span, Trace } from "../trace/trace.js";
import type { Limits, Target } from "./agentops.js";
import { type Call, withinDeadline } from "./call.js";
import { readCapabilities } from "./capabilities.js";
import type { Deployments } from "./deployments.js";
import { parseBody } from "./parse-body.js";
import { parseSpan, parseTrace, toTraceMetrics } from "./parse-trace.js";
import { createReader, type Reader } from "./reader.js";
import { readOf, routes } from "./routes.js";
import { detailMetricsSchema, metricsSchema } from "./schemas.js";
import { readSpanMetrics } from "./span-metrics.js";
import { readSpanPage } from "./span-search.js";
import type { Tokens } from "./tokens.js";
import type { TraceCache } from "./trace-cache.js";
import { type Detail, readDetail } from "./trace-detail.js";
import { readList } from "./trace-list.js";
import { readLog } from "./trace-log.js";
import { pageFilter, parsePage } from "./trace-page.js";
import type { Transport } from "./transport.js";
import { notFound } from "./verdict.js";

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

export interface TracePage {
  /** Newest first. */
  readonly rows: readonly TraceRow[];
  /** How many traces the server has, where it says so. */
  readonly total: number | undefined;
  /** Made from the runs that this machine knows, because the deployment lists none. */
  readonly isOfKnownRuns: boolean;
}

/** What a list says about a trace; undefined where this deployment does not say it. */
export interface TraceRow {
  readonly traceId: string;
  readonly rootSpanName: string;
  readonly tags: readonly string[];
  readonly startUnixMs: number;
  /** AgentOps counts up to the start of the last span, so its durations are too short. */
  readonly durationMs: number | undefined;
  readonly spanCount: number | undefined;
  readonly errorCount: number | undefined;
  readonly costUsd: number | undefined;
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

/** What all clients of a process share. */
export interface ClientParts {
  readonly transport: Transport;
  readonly tokens: Tokens;
  readonly deployments: Deployments;
  readonly traces: TraceCache;
  readonly limits: Limits;
  readonly now: () => number;
  readonly knownTraceIds: () => Promise<readonly string[]>;
  readonly closed: AbortSignal;
}

/** One client for one tool call: its deadline runs from here. */
export function createClient(target: Target, parts: ClientParts): AgentOpsClient {
  const { transport, deployments, traces, limits, now, closed } = parts;
  const { baseUrl, apiKey, sessionCookie, traceContext } = target;
  const deadlineAtMs = now() + limits.callDeadlineMs;
  const maxInFlight = limits.maxInFlightPerOrigin;
  const credential = { id: credentialId(target), baseUrl, apiKey };

  function withCall<Result>(signal: AbortSignal, run: (call: Call) => Promise<Result>) {
    return withinDeadline({ signal, deadlineAtMs, now, closed, traceContext }, run);
  }

  function withReader<Result>(signal: AbortSignal, run: (reader: Reader) => Promise<Result>) {
    const deployment = deployments.of(baseUrl, sessionCookie !== undefined);
    return withCall(signal, (call) =>
      run(createReader({ ...parts, credential, sessionCookie, deployment }, call)),
    );
  }

  function detail(traceId: string, signal: AbortSignal): Promise<Detail> {
    const bounds = { maxInFlight, maxBytes: limits.maxResponseBytes };
    return withReader(signal, (reader) => readDetail(reader, traceId, bounds));
  }

  async function getTrace(traceId: string, signal: AbortSignal): Promise<Trace> {
    const cached = traces.get(credential.id, traceId);
    if (cached) return cached;

    const { body, isComplete } = await detail(traceId, signal);
    const trace = parseTrace(body);
    if (isComplete) traces.offer(credential.id, trace, body.length);
    return trace;
  }

  function list(limit: number, filter: string, signal: AbortSignal): Promise<RawAnswer> {
    const { knownTraceIds } = parts;
    return withReader(signal, (reader) =>
      readList(reader, { limit, filter, maxInFlight, knownTraceIds }),
    );
  }

  return {
    getTrace,

    listTraces({ limit }, signal) {
      return list(limit, "", signal);
    },

    async listPage(query, signal) {
      return parsePage(await list(query.limit, pageFilter(query), signal));
    },

    async traceDetail(traceId, signal) {
      const { body, source } = await detail(traceId, signal);
      return { body, source };
    },

    async getSpan({ spanId, traceId }, signal) {
      const read = readOf(routes.publicSpan, spanId);
      const answer = await withReader(signal, (reader) => reader.firstAnswer([read]));
      if (answer) return parseSpan(answer.body);

      const trace = traceId === undefined ? undefined : await getTrace(traceId, signal);
      const span = trace?.spans.find((each) => each.spanId === spanId);
      if (!span) throw notFound();
      return span;
    },

    async getTraceMetrics(traceId, signal) {
      const read = readOf(routes.publicTraceMetrics, traceId);
      const answer = await withReader(signal, (reader) => reader.firstAnswer([read]));
      if (answer) return toTraceMetrics(parseBody(metricsSchema, answer.body));

      const { body } = await detail(traceId, signal);
      return toTraceMetrics(parseBody(detailMetricsSchema, body).metrics);
    },

    traceLog(traceId, signal) {
      return withReader(signal, (reader) => readLog(reader, traceId));
    },

    searchSpans(search, signal) {
      return withReader(signal, (reader) => readSpanPage(reader, search));
    },

    spanMetrics(query, signal) {
      return withReader(signal, (reader) => readSpanMetrics(reader, query));
    },

    capabilities(signal) {
      const deployment = deployments.of(baseUrl, sessionCookie !== undefined);
      return withCall(signal, (call) => readCapabilities({ transport, baseUrl, deployment }, call));
    },
  };
}

/** Names a key at a deployment without holding it. */
function credentialId({ baseUrl, apiKey }: Target): string {
  return createHash("sha256").update(`${baseUrl}\n${apiKey}`).digest("hex");
}
