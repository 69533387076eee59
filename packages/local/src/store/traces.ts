import type { Database } from "./database.js";
import { traceUnpricedCount, traceUsage } from "./schema.js";
import type { TraceSums } from "./trace-sums.js";
import { usageColumns } from "./usage.js";

/** What the list shows of a trace, without reading its spans. */
export interface TraceSummary {
  readonly traceId: string;
  readonly rootName: string;
  readonly rootServiceName: string;
  /** Raw `agentops.tags` of the root: JSON array text, as a rule. */
  readonly rootTags: string;
  readonly startUnixNano: bigint;
  /** When the last of all spans ended. */
  readonly endUnixNano: bigint;
  readonly spanCount: number;
  readonly errorCount: number;
  readonly totalCostUsd: number;
  /** Calls that report tokens but no cost, see `traceUnpricedCount`. */
  readonly unpricedCount: number;
}

/** Condition and `GROUP BY TraceId` follow. What only {@link readTrace} shows is not here: a page of the list took half as long again. */
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
  sum(ErrorCount) AS errorCount,
  ${traceUnpricedCount} AS unpricedCount,
  ${traceUsage("TotalCost")} AS totalCostUsd
FROM trace_summary
WHERE project_id = {projectId:String}`;

/** Undefined where there is no such trace. */
export async function readTrace(
  database: Database,
  projectId: string,
  traceId: string,
): Promise<TraceSums | undefined> {
  const [trace] = await database.read<TraceSums>(
    `SELECT
      tupleElement(argMinMerge(Root), 'Tags') AS rootTags,
      sum(SpanCount) AS spanCount,
      sum(OkCount) AS okCount,
      sum(ErrorCount) AS errorCount,
      ${traceUnpricedCount} AS unpricedCount,
      ${usageColumns(traceUsage)}
    FROM trace_summary
    WHERE project_id = {projectId:String} AND TraceId = {traceId:String}
    GROUP BY TraceId`,
    { projectId, traceId },
  );
  return trace;
}

/** How much a project holds. */
export interface SpanCounts {
  readonly spanCount: number;
  readonly traceCount: number;
}

/** By project; one without spans is not among them. */
export async function countSpans(
  database: Database,
  projectIds: readonly string[],
): Promise<ReadonlyMap<string, SpanCounts>> {
  const rows = await database.read<SpanCounts & { readonly projectId: string }>(
    `SELECT project_id AS projectId, sum(SpanCount) AS spanCount, uniqExact(TraceId) AS traceCount
    FROM trace_summary
    WHERE project_id IN {projectIds:Array(String)}
    GROUP BY project_id`,
    { projectIds },
  );
  return new Map(rows.map(({ projectId, ...counts }) => [projectId, counts]));
}

// Nanoseconds since the epoch do not fit a JSON number, so they travel as text.
export const summaryFields = [
  "traceId, rootName, rootServiceName, rootTags, spanCount, errorCount, totalCostUsd, unpricedCount",
  "toString(start) AS startUnixNano",
  "toString(end) AS endUnixNano",
].join(", ");

type Nanos = "startUnixNano" | "endUnixNano";
export type SummaryRow = Omit<TraceSummary, Nanos> & Readonly<Record<Nanos, string>>;

export function toSummary(row: SummaryRow): TraceSummary {
  return {
    ...row,
    startUnixNano: BigInt(row.startUnixNano),
    endUnixNano: BigInt(row.endUnixNano),
  };
}
