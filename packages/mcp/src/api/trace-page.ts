import type { PageQuery, RawList, TracePage, TraceRow } from "./client.js";
import { parseBody } from "./parse-body.js";
import { toUnixMs } from "./parse-trace.js";
import { listSchema, type WireRow } from "./schemas.js";

/**
 * AgentOps cuts a trace that crosses the window instead of leaving it out. Asking for an hour more on
 * either side keeps runs of up to an hour whole; callers look at the rows anyway.
 */
const WINDOW_MARGIN_MS = 60 * 60_000;

/** The query that `GET /v4/traces/list/{project_id}` takes beside its limit. */
export function pageFilter({ offset, sinceUnixMs, untilUnixMs, text }: PageQuery): string {
  const filter = new URLSearchParams();
  if (offset > 0) filter.set("offset", String(offset));
  if (sinceUnixMs !== undefined)
    filter.set("start_time", toWireTime(sinceUnixMs - WINDOW_MARGIN_MS));
  if (untilUnixMs !== undefined) filter.set("end_time", toWireTime(untilUnixMs + WINDOW_MARGIN_MS));
  if (text !== undefined) filter.set("query", text);
  return filter.size === 0 ? "" : `&${filter}`;
}

/** AgentOps drops fractions and offsets: whole seconds in UTC. */
function toWireTime(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(0, 19);
}

export function parsePage({ body, ...list }: RawList): TracePage {
  const { traces, total } = parseBody(listSchema, body);
  return { ...list, rows: traces.map(toRow), total: total ?? undefined };
}

function toRow(wire: WireRow): TraceRow {
  const startUnixMs = toUnixMs(wire.start_time);
  return {
    traceId: wire.trace_id,
    rootSpanName: wire.root_span_name ?? "",
    tags: wire.tags ?? [],
    startUnixMs,
    durationMs: durationMsOf(wire, startUnixMs),
    spanCount: wire.span_count ?? undefined,
    errorCount: wire.error_count ?? undefined,
    costUsd: costUsdOf(wire),
    unpricedCount: wire.unpriced_count ?? undefined,
    wire,
  };
}

/** A sum of 0 may stand for calls without a known price, unless the server counts those. */
function costUsdOf({ total_cost, unpriced_count }: WireRow): number | undefined {
  return total_cost || (unpriced_count === 0 ? 0 : undefined);
}

function durationMsOf({ duration, end_time }: WireRow, startUnixMs: number): number | undefined {
  if (typeof duration === "number") return duration / 1e6;
  return end_time ? toUnixMs(end_time) - startUnixMs : undefined;
}
