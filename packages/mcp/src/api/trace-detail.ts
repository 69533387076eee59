import type { RawAnswer } from "./client.js";
import { ApiError, type ApiErrorCode, orApiError, responseTooLarge } from "./errors.js";
import { mapConcurrent } from "./map-concurrent.js";
import { parseBody } from "./parse-body.js";
import type { Reader } from "./reader.js";
import { readOf, routes } from "./routes.js";
import { objectSchema, summarySchema, type WireSummary } from "./schemas.js";
import { noApi } from "./verdict.js";

export interface DetailBounds {
  readonly maxInFlight: number;
  /** For all bodies of one trace together. */
  readonly maxBytes: number;
}

export interface Detail extends RawAnswer {
  /** False when some of its spans could not be read. */
  readonly isComplete: boolean;
}

/** One trace with all its spans: in one answer where the deployment has it, else span by span. */
export async function readDetail(
  reader: Reader,
  traceId: string,
  bounds: DetailBounds,
): Promise<Detail> {
  const answer = await reader.firstAnswer([
    readOf(routes.trace, traceId),
    readOf(routes.traceDetail, traceId),
    readOf(routes.publicTrace, traceId),
  ]);
  if (!answer) throw unreadable();
  if (answer.source !== routes.publicTrace) return { ...answer, isComplete: true };
  return readSpanBySpan(reader, parseBody(summarySchema, answer.body), bounds);
}

type Part = Readonly<Record<string, unknown>>;

/**
 * Builds the shape of `GET /v4/traces/detail/{trace_id}` from `/public/v1`: the trace, its metrics and
 * each of its spans once. A span that cannot be read keeps what the trace says about it and is named
 * in `span_errors`; that goes for the deadline too, so a slow server still gives what it gave.
 */
async function readSpanBySpan(
  reader: Reader,
  trace: WireSummary,
  { maxInFlight, maxBytes }: DetailBounds,
): Promise<Detail> {
  const spanErrors: { span_id: string; code: ApiErrorCode }[] = [];
  let bytesLeft = maxBytes;

  async function readPart(route: string, id: string): Promise<Part> {
    if (bytesLeft <= 0) throw responseTooLarge(maxBytes);
    const answer = await reader.firstAnswer([readOf(route, id)]);
    if (!answer) throw noApi();
    bytesLeft -= answer.body.length;
    return parseBody(objectSchema, answer.body);
  }

  async function readSpan(span: WireSummary["spans"][number]): Promise<Part> {
    const part = await orApiError(readPart(routes.publicSpan, span.span_id));
    if (!(part instanceof ApiError)) return { ...span, ...part };
    spanErrors.push({ span_id: span.span_id, code: part.code });
    return span;
  }

  const distinct = new Map(trace.spans.map((span) => [span.span_id, span]));
  const [metrics, spans] = await Promise.all([
    orApiError(readPart(routes.publicTraceMetrics, trace.trace_id)),
    mapConcurrent([...distinct.values()], maxInFlight, readSpan),
  ]);
  const detail = {
    ...trace,
    metrics: metrics instanceof ApiError ? null : metrics,
    spans,
    ...(spanErrors.length > 0 ? { span_errors: spanErrors } : {}),
  };
  return {
    body: JSON.stringify(detail),
    source: [routes.publicTrace, routes.publicTraceMetrics, routes.publicSpan].join(", "),
    isComplete: spanErrors.length === 0,
  };
}

function unreadable(): ApiError {
  return new ApiError(
    "forbidden",
    "This server has no route by which an API key reads a trace.",
    "Check AGENTOPS_API_URL. If the deployment shows traces to signed-in dashboard users only, set AGENTOPS_SESSION_COOKIE to the dashboard's session_id cookie.",
  );
}
