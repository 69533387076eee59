import type { AgentOpsClient, TracePage, TraceRow } from "../api/client.js";

/** Which traces of a list are meant. Every filter is checked on the rows: few deployments offer any. */
export interface TraceQuery {
  readonly sinceUnixMs?: number | undefined;
  readonly untilUnixMs?: number | undefined;
  readonly text?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly errorsOnly?: boolean | undefined;
  readonly minDurationMs?: number | undefined;
  readonly minCostUsd?: number | undefined;
  readonly sort?: TraceSort;
  readonly limit: number;
  /** The `next` of the last row that was shown. */
  readonly offset?: number | undefined;
}

export const TRACE_SORTS = ["newest", "slowest", "costliest", "most_errors", "most_spans"] as const;
export type TraceSort = (typeof TRACE_SORTS)[number];

export interface FoundRow extends TraceRow {
  /** The `offset` with which the row after this one comes first. */
  readonly next: number;
}

export interface FoundTraces {
  readonly query: TraceQuery;
  readonly rows: readonly FoundRow[];
  /** Rows of the server's list that were looked at or passed over. */
  readonly scanned: number;
  /** Of those looked at. */
  readonly matched: number;
  /** All traces of the server's list, where it says so; which of the filters it heeds is not known. */
  readonly total: number | undefined;
  /** The list holds only those runs that this machine knows. */
  readonly isOfKnownRuns: boolean;
  /** False when there may be matches beyond what was looked at. */
  readonly isComplete: boolean;
  /** Where the next answer begins; undefined when there is nothing further. */
  readonly nextOffset: number | undefined;
}

const PAGE_SIZE = 100;

/** Most rows one call looks at: ten requests. */
export const MAX_SCANNED_ROWS = 1_000;

/** Looks through the list, newest first, until enough rows match or the bound is reached. */
export async function findTraces(
  client: AgentOpsClient,
  query: TraceQuery,
  signal: AbortSignal,
): Promise<FoundTraces> {
  const { sort = "newest", limit, offset = 0 } = query;
  // In other orders every row has to be looked at each time, and the offset counts sorted rows.
  const from = sort === "newest" ? offset : 0;
  const enough = sort === "newest" ? limit : Number.POSITIVE_INFINITY;
  const scanned = await scanRows(client, { ...query, offset: from, enough }, signal);
  const { matches, isAtEnd, ...scan } = scanned;

  const rows =
    sort === "newest"
      ? matches.slice(0, limit)
      : matches
          .toSorted(order[sort])
          .map((row, index) => ({ ...row, next: index + 1 }))
          .slice(offset, offset + limit);
  const isRest = sort === "newest" ? matches.length > limit : matches.length > offset + limit;
  const end = isRest ? rows.at(-1)?.next : scan.scanned;
  const goesOn = isRest || (sort === "newest" && !isAtEnd);
  return { ...scan, query, rows, matched: matches.length, nextOffset: goesOn ? end : undefined };
}

interface Scan extends Pick<FoundTraces, "scanned" | "total" | "isOfKnownRuns" | "isComplete"> {
  readonly matches: readonly FoundRow[];
  /** The server has no further rows, or gives none. */
  readonly isAtEnd: boolean;
}

async function scanRows(
  client: AgentOpsClient,
  query: TraceQuery & { readonly offset: number; readonly enough: number },
  signal: AbortSignal,
): Promise<Scan> {
  const isMatch = matcher(query);
  const seen = new Set<string>();
  const matches: FoundRow[] = [];
  // From the start of a page: a server that ignores the offset sends the first page every time.
  let scanned = query.offset - (query.offset % PAGE_SIZE);
  let page: TracePage;
  let isAtEnd: boolean;
  let isComplete: boolean;

  do {
    page = await client.listPage({ ...query, limit: PAGE_SIZE, offset: scanned }, signal);
    const fresh = page.rows.filter(({ traceId }) => !seen.has(traceId));
    for (const row of fresh) {
      seen.add(row.traceId);
      scanned += 1;
      if (scanned > query.offset && isMatch(row)) matches.push({ ...row, next: scanned });
    }
    const oldestUnixMs = page.rows.at(-1)?.startUnixMs ?? 0;
    const isPast = page.rows.length < PAGE_SIZE || oldestUnixMs < (query.sinceUnixMs ?? 0);
    isAtEnd = isPast || fresh.length === 0;
    isComplete = isPast || (isAtEnd && page.total === scanned);
    // One match more than enough tells that there is a rest.
  } while (!isAtEnd && matches.length <= query.enough && seen.size < MAX_SCANNED_ROWS);
  const { total, isOfKnownRuns } = page;
  return { matches, scanned, total, isOfKnownRuns, isAtEnd, isComplete };
}

type Test = (row: TraceRow) => boolean;

/** A row that does not say what a filter asks for does not match. */
function matcher(query: TraceQuery): Test {
  const text = query.text?.toLowerCase();
  const { tags = [], sinceUnixMs = 0, untilUnixMs = Number.POSITIVE_INFINITY } = query;
  const tests: Test[] = [
    ({ startUnixMs }) => startUnixMs >= sinceUnixMs && startUnixMs < untilUnixMs,
    (row) => tags.every((tag) => row.tags.includes(tag)),
    (row) => text === undefined || textOf(row).includes(text),
    ({ errorCount }) => !query.errorsOnly || (errorCount ?? 0) > 0,
    ({ durationMs }) => (durationMs ?? -1) >= (query.minDurationMs ?? -1),
    ({ costUsd }) => (costUsd ?? -1) >= (query.minCostUsd ?? -1),
  ];
  return (row) => tests.every((test) => test(row));
}

function textOf({ traceId, rootSpanName, tags }: TraceRow): string {
  return [traceId, rootSpanName, ...tags].join("\n").toLowerCase();
}

type Compare = (a: TraceRow, b: TraceRow) => number;

const descending =
  (value: (row: TraceRow) => number | undefined): Compare =>
  (a, b) =>
    (value(b) ?? 0) - (value(a) ?? 0) || b.startUnixMs - a.startUnixMs;

const order: Readonly<Record<TraceSort, Compare>> = {
  newest: descending(({ startUnixMs }) => startUnixMs),
  slowest: descending(({ durationMs }) => durationMs),
  costliest: descending(({ costUsd }) => costUsd),
  most_errors: descending(({ errorCount }) => errorCount),
  most_spans: descending(({ spanCount }) => spanCount),
};
