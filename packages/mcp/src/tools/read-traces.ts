import { ApiError, type ApiErrorCode, orApiError } from "../api/errors.js";
import { mapConcurrent } from "../api/map-concurrent.js";
import type { Trace } from "../trace/trace.js";
import type { ToolContext } from "./define-tool.js";
import { MAX_TRACES_READ, type Moment, windowOf } from "./fields.js";
import { findTraces } from "./find-traces.js";
import { matchCount } from "./list-coverage.js";
import { type Nothing, nothingText, readNothing } from "./nothing-found.js";
import { safeId } from "./span-ids.js";
import { formatCount, plural } from "./text.js";
import { resolveTraceId } from "./trace-ids.js";

/** Which traces an aggregate is over: the ones named, else the newest that match. */
export interface TraceSelection {
  readonly trace_ids?: readonly string[] | undefined;
  readonly since?: Moment | undefined;
  readonly until?: Moment | undefined;
  readonly query?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly max_traces: number;
}

/** What stands behind an aggregate: it is told with every answer. */
export interface Coverage {
  readonly readCount: number;
  /** How many traces were meant; undefined where a list ends before it says. */
  readonly meantCount: number | undefined;
  readonly missed: readonly { readonly traceId: string; readonly code: ApiErrorCode }[];
  readonly truncatedByPlanCount: number;
  /** Traces with spans that could not be read. */
  readonly readInPartCount: number;
  /** Why there were none to read; undefined where there were. */
  readonly nothing: Nothing | undefined;
}

export interface TracesRead<Part> {
  readonly parts: readonly Part[];
  readonly coverage: Coverage;
}

/** Traces read at a time: each may be megabytes, and is let go once it is reduced. */
const MAX_TRACES_IN_FLIGHT = 8;

/**
 * Reads the selected traces concurrently and keeps of each what `reduce` makes of it. One that cannot be
 * read is reported beside the others; only when all fail is that the answer.
 */
export async function readTraces<Part>(
  selection: TraceSelection,
  reduce: (trace: Trace) => Part,
  context: ToolContext,
): Promise<TracesRead<Part>> {
  return readSelected(await selectTraces(selection, context), reduce, context);
}

/** The same for traces that are selected already. */
export async function readSelected<Part>(
  { traceIds, meantCount, nothing }: Selected,
  reduce: (trace: Trace) => Part,
  context: ToolContext,
): Promise<TracesRead<Part>> {
  const { client, signal } = context;
  let done = 0;
  let truncatedByPlanCount = 0;
  let readInPartCount = 0;

  async function readOne(traceId: string): Promise<{ traceId: string; outcome: Part | ApiError }> {
    const trace = await orApiError(client.getTrace(traceId, signal));
    done += 1;
    context.reportProgress({ done, total: traceIds.length, message: "Reading traces" });
    if (trace instanceof ApiError) return { traceId, outcome: trace };
    if (trace.isTruncatedByPlan) truncatedByPlanCount += 1;
    if (trace.unreadSpanIds.size > 0) readInPartCount += 1;
    return { traceId, outcome: reduce(trace) };
  }
  const reads = await mapConcurrent(traceIds, MAX_TRACES_IN_FLIGHT, readOne);

  const parts = reads.flatMap(({ outcome }) => (outcome instanceof ApiError ? [] : [outcome]));
  const failures = reads.flatMap(({ outcome }) => (outcome instanceof ApiError ? [outcome] : []));
  if (failures[0] && parts.length === 0) throw failures[0];
  const missed = reads.flatMap(({ traceId, outcome }) =>
    outcome instanceof ApiError ? [{ traceId, code: outcome.code }] : [],
  );
  const coverage = { readCount: parts.length, meantCount, missed, nothing };
  return { parts, coverage: { ...coverage, truncatedByPlanCount, readInPartCount } };
}

export interface Selected {
  readonly traceIds: readonly string[];
  /** How many traces were meant; undefined where a list ends before it says. */
  readonly meantCount: number | undefined;
  /** When the first of them started; undefined where they were named, not listed. */
  readonly sinceUnixMs: number | undefined;
  /** Why there are none to read; undefined where there are. */
  readonly nothing: Nothing | undefined;
}

export async function selectTraces(
  selection: TraceSelection,
  context: ToolContext,
): Promise<Selected> {
  const { client, signal, now } = context;
  const { trace_ids, query, tags, max_traces } = selection;
  if (trace_ids !== undefined) {
    const resolve = (id: string) => resolveTraceId(id, context, "trace_ids");
    return selectedIds(await Promise.all(trace_ids.map(resolve)));
  }
  const found = await findTraces(
    client,
    {
      limit: max_traces,
      ...windowOf(selection, now()),
      text: query,
      tags,
    },
    signal,
  );
  const { count, isExact } = matchCount(found);
  return {
    traceIds: found.rows.map(({ traceId }) => traceId),
    meantCount: isExact ? count : undefined,
    sinceUnixMs: Math.min(...found.rows.map(({ startUnixMs }) => startUnixMs)),
    nothing: found.rows.length === 0 ? await readNothing(found, context) : undefined,
  };
}

/** These traces and no others. */
export function selectedIds(traceIds: readonly string[]): Selected {
  const distinct = [...new Set(traceIds)];
  return {
    traceIds: distinct,
    meantCount: distinct.length,
    sinceUnixMs: undefined,
    nothing: undefined,
  };
}

/** Every selected trace was read, with all it holds. */
export function isWhole({ missed, truncatedByPlanCount, readInPartCount }: Coverage): boolean {
  return missed.length + truncatedByPlanCount + readInPartCount === 0;
}

/** Most missed traces that are named one by one. */
const MAX_NAMED = 5;

/** How to read those that a list holds beyond `max_traces`. */
export const MORE = ` For more: max_traces up to ${MAX_TRACES_READ}, or other since and until.`;

/** `20 of 312 traces read, 3 truncated by plan. Not read: 4b1f… (timeout).` */
export function coverageText(coverage: Coverage): string {
  const { readCount, meantCount, missed, truncatedByPlanCount, readInPartCount } = coverage;
  if (coverage.nothing !== undefined) return nothingText(coverage.nothing);
  const of =
    meantCount === undefined ? " (newest; there may be more)" : ` of ${formatCount(meantCount)}`;
  const truncated = truncatedByPlanCount > 0 ? `, ${truncatedByPlanCount} truncated by plan` : "";
  const inPart = readInPartCount > 0 ? `, ${readInPartCount} only in part` : "";
  const named = missed
    .slice(0, MAX_NAMED)
    .map(({ traceId, code }) => `${safeId(traceId)} (${code})`);
  const others = missed.length > MAX_NAMED ? [`and ${missed.length - MAX_NAMED} more`] : [];
  const notRead = missed.length > 0 ? ` Not read: ${[...named, ...others].join(", ")}.` : "";
  const readText =
    meantCount === undefined
      ? `${plural(readCount, "trace")} read${of}`
      : `${formatCount(readCount)}${of} traces read`;
  const isAll = meantCount !== undefined && readCount + missed.length >= meantCount;
  return `${readText}${truncated}${inPart}.${notRead}${isAll ? "" : MORE}`;
}
