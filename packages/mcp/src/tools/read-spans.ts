import { ApiError, type ApiErrorCode, orApiError } from "../api/errors.js";
import { mapConcurrent } from "../api/map-concurrent.js";
import type { Span } from "../trace/trace.js";
import { buildTree } from "../trace/tree.js";
import type { ToolContext } from "./define-tool.js";
import { findSpan } from "./span-ids.js";
import { ArgumentError } from "./tool-error.js";
import { resolveTraceId } from "./trace-ids.js";

export const MAX_SPANS = 20;

const SHORTENED_ID = /^[0-9a-f]{1,15}$/i;

/** A span, or the one of several that could not be read. */
export type SpanRead =
  | { readonly span: Span }
  | { readonly id: string; readonly code: ApiErrorCode };

export interface SpansRead {
  readonly reads: readonly SpanRead[];
  /** True when the account's plan is known to withhold attributes from them. */
  readonly isTruncatedByPlan: boolean;
}

/** Finds spans in their trace, by id or prefix. One that was not read with it is read by itself. */
export async function readSpansOfTrace(
  trace_id: string,
  span_ids: readonly string[],
  { client, signal }: ToolContext,
): Promise<SpansRead> {
  const id = await resolveTraceId(trace_id, { client, signal }, "trace_id");
  const trace = await client.getTrace(id, signal);
  const tree = buildTree(trace);

  async function readOne(spanIdOrPrefix: string): Promise<SpanRead> {
    try {
      const { span } = findSpan(tree, spanIdOrPrefix, "span_ids");
      if (!trace.unreadSpanIds.has(span.spanId)) return { span };
      const again = await orApiError(client.getSpan(span, signal));
      return again instanceof ApiError ? { id: span.spanId, code: again.code } : { span: again };
    } catch (error) {
      if (error instanceof ArgumentError && span_ids.length > 1) {
        return { id: spanIdOrPrefix, code: "not_found" };
      }
      throw error;
    }
  }

  const reads = await mapConcurrent(span_ids, MAX_SPANS, readOne);
  return { reads, isTruncatedByPlan: trace.isTruncatedByPlan };
}

/** Reads full ids one by one. A span that cannot be read is reported beside the others. */
export async function readSpans(
  span_ids: readonly string[],
  { client, signal }: ToolContext,
): Promise<SpansRead> {
  const reads = await mapConcurrent(span_ids, MAX_SPANS, async (id) => {
    const span = await orApiError(client.getSpan({ spanId: id }, signal));
    return { id, span };
  });
  const isMissing = ({ id, span }: (typeof reads)[number]) =>
    span instanceof ApiError && span.code === "not_found" && SHORTENED_ID.test(id);
  if (reads.every(isMissing)) {
    throw new ArgumentError("trace_id", "Shortened span ids need the id of their trace.");
  }
  const [failure] = reads.flatMap(({ span }) => (span instanceof ApiError ? [span] : []));
  if (failure && reads.every(({ span }) => span instanceof ApiError)) throw failure;
  return {
    reads: reads.map(({ id, span }) =>
      span instanceof ApiError ? { id, code: span.code } : { span },
    ),
    isTruncatedByPlan: false,
  };
}
