import type { Database } from "./database.js";
import { traceUsage } from "./schema.js";
import type { TraceExtent } from "./spans.js";
import { type UsageFigures, usageColumns, usageFields } from "./usage.js";

/** What the list shows of a trace, without reading its spans. */
export interface TraceSummary extends TraceExtent, UsageFigures {
  readonly rootName: string;
  readonly rootServiceName: string;
  /** Raw `agentops.tags` of the root: JSON array text, as a rule. */
  readonly rootTags: string;
  /** When the last of all spans ended. */
  readonly endUnixNano: bigint;
  readonly spanCount: number;
  readonly okCount: number;
  readonly errorCount: number;
  /** Spans that report tokens but no cost. */
  readonly unpricedCount: number;
}

/** Condition and `GROUP BY TraceId` follow. */
export const summaries = `
SELECT
  TraceId AS traceId,
  argMinMerge(Root) AS root,
  root.SpanName AS rootName,
  root.ServiceName AS rootServiceName,
  root.Tags AS rootTags,
  toUnixTimestamp64Nano(min(StartTime)) AS start,
  toUnixTimestamp64Nano(max(LastStartTime)) AS lastStart,
  toUnixTimestamp64Nano(max(EndTime)) AS end,
  sum(SpanCount) AS spanCount,
  sum(OkCount) AS okCount,
  sum(ErrorCount) AS errorCount,
  sum(UnpricedCount) AS unpricedCount,
  ${usageColumns(traceUsage)}
FROM trace_summary
WHERE project_id = {projectId:String}`;

export async function readTrace(
  database: Database,
  projectId: string,
  traceId: string,
): Promise<TraceSummary | undefined> {
  const rows = await database.read<SummaryRow>(
    `SELECT ${summaryFields} FROM (${summaries} AND TraceId = {traceId:String} GROUP BY TraceId)`,
    { projectId, traceId },
  );
  return rows.map(toSummary)[0];
}

// Nanoseconds since the epoch do not fit a JSON number, so they travel as text.
export const summaryFields = [
  "traceId, rootName, rootServiceName, rootTags, spanCount, okCount, errorCount, unpricedCount",
  "toString(start) AS startUnixNano",
  "toString(lastStart) AS lastStartUnixNano",
  "toString(end) AS endUnixNano",
  ...usageFields,
].join(", ");

type Nanos = "startUnixNano" | "lastStartUnixNano" | "endUnixNano";
export type SummaryRow = Omit<TraceSummary, Nanos> & Readonly<Record<Nanos, string>>;

export function toSummary(row: SummaryRow): TraceSummary {
  return {
    ...row,
    startUnixNano: BigInt(row.startUnixNano),
    lastStartUnixNano: BigInt(row.lastStartUnixNano),
    endUnixNano: BigInt(row.endUnixNano),
  };
}
