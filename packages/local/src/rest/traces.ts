import { roundUsd } from "mcp-server-agentops-api/semconv";
import {
  createTraceSums,
  type StoredSpan,
  type TraceHead,
  type TraceQuery,
  type TraceSummary,
  type TraceTotals,
} from "../store/index.js";
import { totalMetrics, traceMetrics } from "./metrics.js";
import { createPlaces } from "./places.js";
import { spanHead, spanItem } from "./spans.js";
import { isoMicrosUtc } from "./time.js";

/** `GET /public/v1/traces/{id}`; undefined where there is no span. */
export async function traceView(projectId: string, traceId: string, heads: SpanPages<TraceHead>) {
  let rootTags: string | undefined;
  const view = (head: TraceHead) => {
    ({ rootTags } = head);
    return spanHead(head);
  };
  return await respondWithSpans(heads, view, () => {
    if (rootTags === undefined) return undefined;
    return { trace_id: traceId, project_id: projectId, tags: parseTags(rootTags) };
  });
}

/** Spans, and who asked for them. */
interface SpanPages<Span> {
  readonly pages: AsyncIterable<readonly Span[]>;
  readonly request: Request;
}

/** `GET /v4/traces/detail/{id}`; undefined where there is no span. */
export async function traceDetail(
  projectId: string,
  traceId: string,
  spans: SpanPages<StoredSpan>,
) {
  const sums = createTraceSums();
  const view = (span: StoredSpan) => {
    sums.add(span);
    return spanItem(span);
  };
  return await respondWithSpans(spans, view, () => {
    const trace = sums.result();
    return (
      trace && {
        freeplan_truncated: false,
        project_id: projectId,
        trace_id: traceId,
        tags: parseTags(trace.rootTags),
        metrics: traceMetrics(trace),
      }
    );
  });
}

/** Answers of more than one page of spans that are in memory at a time; others wait for one of them. */
const MAX_LARGE_ANSWERS = 2;

/** A client that does not read what it asked for keeps others waiting no longer. */
const MAX_SENDING_MS = 30_000;

const largeAnswers = createPlaces(MAX_LARGE_ANSWERS);

/**
 * JSON of the head, which is asked for after all spans, with `spans` as its last field. It is collected
 * as bytes, because a large trace is several times as large in objects, and before it is sent, so that a
 * failed read is still an error.
 */
async function respondWithSpans<Span>(
  { pages, request }: SpanPages<Span>,
  view: (span: Span) => object,
  head: () => object | undefined,
): Promise<Response | undefined> {
  const chunks: Buffer[] = [];
  let leave: (() => void) | undefined;
  try {
    for await (const spans of pages) {
      if (chunks.length > 0) {
        request.signal.throwIfAborted();
        leave ??= await largeAnswers.take(request.signal);
      }
      const separator = chunks.length === 0 ? "" : ",";
      chunks.push(Buffer.from(separator + JSON.stringify(spans.map(view)).slice(1, -1)));
    }
  } catch (error) {
    leave?.();
    throw error;
  }
  const fields = head();
  if (!fields) return undefined;
  chunks.unshift(Buffer.from(JSON.stringify({ ...fields, spans: [] }).slice(0, -"]}".length)));
  chunks.push(Buffer.from("]}"));
  return respondWith(chunks, leave);
}

function respondWith(chunks: readonly Buffer[], leave: (() => void) | undefined): Response {
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (leave) setTimeout(leave, MAX_SENDING_MS).unref();
  return new Response(sending(chunks, leave), {
    headers: { "content-type": "application/json", "content-length": String(length) },
  });
}

function sending(
  chunks: readonly Buffer[],
  leave: (() => void) | undefined,
): ReadableStream<Uint8Array> {
  const rest = chunks.values();
  return new ReadableStream({
    pull(controller) {
      const { value, done } = rest.next();
      if (!done) return controller.enqueue(value);
      controller.close();
      leave?.();
    },
    cancel: () => leave?.(),
  });
}

/** `GET /v4/traces/list/{project_id}` */
export function traceList(
  { limit, offset }: TraceQuery,
  page: { readonly traces: readonly TraceSummary[]; readonly totals: TraceTotals },
) {
  return {
    traces: page.traces.map(traceListItem),
    metrics: totalMetrics(page.totals),
    total: page.totals.traceCount,
    limit,
    offset,
    freeplan_truncated: false,
  };
}

/** Unlike AgentOps', the duration reaches to the end of the last span, not to its start. */
function traceListItem(trace: TraceSummary) {
  return {
    freeplan_truncated: false,
    trace_id: trace.traceId,
    root_service_name: trace.rootServiceName,
    root_span_name: trace.rootName,
    start_time: isoMicrosUtc(trace.startUnixNano),
    end_time: isoMicrosUtc(trace.endUnixNano),
    duration: Number(trace.endUnixNano - trace.startUnixNano),
    span_count: trace.spanCount,
    error_count: trace.errorCount,
    tags: parseTags(trace.rootTags),
    total_cost: roundUsd(trace.totalCostUsd),
    unpriced_count: trace.unpricedCount,
  };
}

/** `agentops.tags` is JSON array text; anything else an SDK wrote there is one tag. */
function parseTags(text: string): string[] {
  if (text === "") return [];
  const parsed = parseJson(text);
  return Array.isArray(parsed) ? parsed.map(String) : [text];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
