import type { Database } from "./database.js";
import { type Condition, type SpanFilter, spanCondition } from "./span-filter.js";
import { type SpanRow, type StoredSpan, selectSpans, toSpan } from "./spans.js";

export interface SpanQuery extends SpanFilter {
  readonly limit: number;
  /** The last span of the page before this one. */
  readonly after: SpanPosition | undefined;
}

/** Where a span is among all, newest first. */
export interface SpanPosition {
  readonly startUnixNano: bigint;
  readonly traceId: string;
  readonly spanId: string;
}

/**
 * Newest first. Where the page ends is found by time alone, which is what the table is ordered by: to
 * order by ids too, the engine would read the text of all spans that match.
 */
export async function searchSpans(
  database: Database,
  projectId: string,
  query: SpanQuery,
): Promise<StoredSpan[]> {
  const matching = matchingSpans(projectId, query);
  const end =
    (await findEndInNewest(database, matching, query)) ?? (await findEnd(database, matching));
  const rows = await database.read<SpanRow>(
    `${selectSpans}
    WHERE ${matching.sql} AND Timestamp >= fromUnixTimestamp64Nano({end:Int64})
    ORDER BY project_id DESC, Timestamp DESC, TraceId DESC, SpanId DESC
    LIMIT {limit:UInt32}`,
    { ...matching.parameters, end },
  );
  return rows.map(toSpan);
}

function matchingSpans(projectId: string, { limit, after, ...filter }: SpanQuery): Condition {
  const { sql, parameters } = spanCondition(projectId, filter);
  if (!after) return { sql, parameters: { ...parameters, limit } };
  return {
    sql: `${sql} AND ${older}`,
    parameters: {
      ...parameters,
      limit,
      afterTime: after.startUnixNano,
      afterTraceId: after.traceId,
      afterSpanId: after.spanId,
    },
  };
}

// The first condition is part of the second, in the form that the table's order is read by.
const older = `
Timestamp <= fromUnixTimestamp64Nano({afterTime:Int64})
AND (Timestamp, TraceId, SpanId) <
  (fromUnixTimestamp64Nano({afterTime:Int64}), {afterTraceId:String}, {afterSpanId:String})`;

/** So many spans' text is read in less time than the index needs to tell where words are that many spans hold. */
const NEWEST_SPANS = 5_000;

/** Undefined where the newest spans do not fill the page, or there is no text to look for in them. */
async function findEndInNewest(
  database: Database,
  { sql, parameters }: Condition,
  { text, after, untilUnixNano }: SpanQuery,
): Promise<string | undefined> {
  if (text === undefined) return undefined;
  const before = after?.startUnixNano ?? untilUnixNano;
  const isBefore = "AND Timestamp <= fromUnixTimestamp64Nano({before:Int64})";
  const newest = `
    SELECT min(Timestamp) FROM (
      SELECT Timestamp FROM otel_traces
      WHERE project_id = {projectId:String} ${before === undefined ? "" : isBefore}
      ORDER BY project_id DESC, Timestamp DESC
      LIMIT ${NEWEST_SPANS}
    )`;
  const [page] = await database.read<PageEnd>(
    `${selectEnd(`${sql} AND Timestamp >= (${newest})`)} SETTINGS use_skip_indexes = 0`,
    { ...parameters, before: before ?? 0n },
  );
  return page?.count === parameters.limit ? page?.end : undefined;
}

/** When the last span of the page starts. */
async function findEnd(database: Database, { sql, parameters }: Condition): Promise<string> {
  const [page] = await database.read<PageEnd>(selectEnd(sql), parameters);
  return page?.end ?? "0";
}

interface PageEnd {
  readonly end: string;
  readonly count: number;
}

const selectEnd = (condition: string) => `
SELECT toString(toUnixTimestamp64Nano(min(Timestamp))) AS end, count() AS count
FROM (
  SELECT Timestamp FROM otel_traces
  WHERE ${condition}
  ORDER BY project_id DESC, Timestamp DESC
  LIMIT {limit:UInt32}
)`;
