import type { Database } from "./database.js";
import { type SpanFilter, spanCondition } from "./span-filter.js";
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

/** Newest first. */
export async function searchSpans(
  database: Database,
  projectId: string,
  query: SpanQuery,
): Promise<StoredSpan[]> {
  const { sql, parameters } = spanCondition(projectId, query);
  const { limit, after } = query;
  const rows = await database.read<SpanRow>(
    `${selectSpans}
    WHERE ${sql} ${after ? older : ""}
    ORDER BY project_id DESC, Timestamp DESC, TraceId DESC, SpanId DESC
    LIMIT {limit:UInt32}`,
    {
      ...parameters,
      limit,
      ...(after && {
        afterTime: after.startUnixNano,
        afterTraceId: after.traceId,
        afterSpanId: after.spanId,
      }),
    },
  );
  return rows.map(toSpan);
}

// The first condition is part of the second, in the form that the table's order is read by.
const older = `
AND Timestamp <= fromUnixTimestamp64Nano({afterTime:Int64})
AND (Timestamp, TraceId, SpanId) <
  (fromUnixTimestamp64Nano({afterTime:Int64}), {afterTraceId:String}, {afterSpanId:String})`;
