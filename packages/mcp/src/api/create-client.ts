import { createHash } from "node:crypto";
import type { Trace } from "../trace/trace.js";
import type { Limits, Target } from "./agentops.js";
import { type Call, withinDeadline } from "./call.js";
import { readCapabilities } from "./capabilities.js";
import type { AgentOpsClient, RawList } from "./client.js";
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
import { dashboardUrl } from "./url-policy.js";
import { notFound } from "./verdict.js";

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

  function list(limit: number, filter: string, signal: AbortSignal): Promise<RawList> {
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

    dashboardUrl(traceId) {
      return dashboardUrl(baseUrl, traceId);
    },
  };
}

/** Names a key at a deployment without holding it. */
function credentialId({ baseUrl, apiKey }: Target): string {
  return createHash("sha256").update(`${baseUrl}\n${apiKey}`).digest("hex");
}
