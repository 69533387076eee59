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
 * Newest first. Which spans a page has is found by time alone, which is what the table is ordered by: to
 * order by ids too, the engine would read the text of all spans that match.
 */
export async function searchSpans(
  database: Database,
  projectId: string,
  query: SpanQuery,
): Promise<StoredSpan[]> {
  const matching = matchingSpans(projectId, query);
  const startTimes =
    (await findInNewest(database, matching, query)) ?? (await findAll(database, matching));
  if (startTimes.length === 0) return [];
  const rows = await database.read<SpanRow>(
    `${selectSpans}
    FROM otel_traces
    WHERE ${matching.sql} AND Timestamp IN (SELECT fromUnixTimestamp64Nano(arrayJoin({startTimes:Array(Int64)})))
    ORDER BY project_id DESC, Timestamp DESC, TraceId DESC, SpanId DESC
    LIMIT {limit:UInt32}
    ${byTextAlone}`,
    { ...matching.parameters, startTimes },
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
async function findInNewest(
  database: Database,
  { sql, parameters }: Condition,
  { text, after, untilUnixNano }: SpanQuery,
): Promise<bigint[] | undefined> {
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
  const found = await database.read<StartTime>(
    `${selectStartTimes(`${sql} AND Timestamp >= (${newest})`)} ${byTextAlone}`,
    { ...parameters, before: before ?? 0n },
  );
  return found.length === parameters.limit ? found.map(toUnixNano) : undefined;
}

async function findAll(database: Database, { sql, parameters }: Condition): Promise<bigint[]> {
  return (await database.read<StartTime>(selectStartTimes(sql), parameters)).map(toUnixNano);
}

interface StartTime {
  readonly startUnixNano: string;
}

const toUnixNano = ({ startUnixNano }: StartTime) => BigInt(startUnixNano);

const selectStartTimes = (condition: string) => `
SELECT toString(toUnixTimestamp64Nano(Timestamp)) AS startUnixNano
FROM otel_traces
WHERE ${condition}
ORDER BY project_id DESC, Timestamp DESC
LIMIT {limit:UInt32}`;

/** Where few spans are looked at, asking the text index takes longer than reading their text. */
const byTextAlone = "SETTINGS use_skip_indexes = 0";
