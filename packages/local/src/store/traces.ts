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
}

/** Sums over every trace that a query matches, not only those on the page. */
export interface TraceTotals extends UsageFigures {
  readonly traceCount: number;
  readonly spanCount: number;
  /** Traces whose root span is OK and that hold no failed span. */
  readonly okTraceCount: number;
  /** Traces with at least one failed span. */
  readonly failedTraceCount: number;
}

export const traceOrders = [
  "trace_id",
  "service_name",
  "span_name",
  "tags",
  "start_time",
  "duration",
  "span_count",
  "error_count",
  "total_cost",
] as const;
export type TraceOrder = (typeof traceOrders)[number];

export interface TraceQuery {
  /** Traces that ran at any time from here on. */
  readonly fromUnixNano: bigint | undefined;
  /** Traces that had started by then. */
  readonly untilUnixNano: bigint | undefined;
  /** Found, whatever its case, in the trace id, the root span's name or its tags. */
  readonly text: string;
  readonly orderBy: TraceOrder;
  readonly descending: boolean;
  readonly limit: number;
  readonly offset: number;
}

export interface TracePage {
  readonly traces: readonly TraceSummary[];
  readonly totals: TraceTotals;
}

const summaries = `
SELECT
  TraceId AS traceId,
  argMinMerge(Root) AS root,
  root.SpanName AS rootName,
  root.ServiceName AS rootServiceName,
  root.StatusCode AS rootStatus,
  root.Tags AS rootTags,
  toUnixTimestamp64Nano(min(StartTime)) AS start,
  toUnixTimestamp64Nano(max(LastStartTime)) AS lastStart,
  toUnixTimestamp64Nano(max(EndTime)) AS end,
  sum(SpanCount) AS spanCount,
  sum(OkCount) AS okCount,
  sum(ErrorCount) AS errorCount,
  ${usageColumns(traceUsage)}
FROM trace_summary
WHERE project_id = {projectId:String}`;

const orderColumns: Readonly<Record<TraceOrder, string>> = {
  trace_id: "traceId",
  service_name: "rootServiceName",
  span_name: "rootName",
  tags: "rootTags",
  start_time: "start",
  duration: "end - start",
  span_count: "spanCount",
  error_count: "errorCount",
  total_cost: "totalCostUsd",
};

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

export async function listTraces(
  database: Database,
  projectId: string,
  query: TraceQuery,
): Promise<TracePage> {
  const { condition, parameters } = filter(query);
  const matching = `(${summaries} GROUP BY TraceId HAVING ${condition})`;
  const direction = query.descending ? "DESC" : "ASC";

  const [rows, totals] = await Promise.all([
    database.read<SummaryRow>(
      `SELECT ${summaryFields} FROM ${matching}
      ORDER BY ${orderColumns[query.orderBy]} ${direction}, traceId
      LIMIT {limit:UInt32} OFFSET {offset:UInt32}`,
      { projectId, ...parameters, limit: query.limit, offset: query.offset },
    ),
    database.read<TraceTotals>(`SELECT ${totalFields} FROM ${matching} AS matching`, {
      projectId,
      ...parameters,
    }),
  ]);

  const [total] = totals;
  if (!total) throw new Error("An aggregate without keys answers one row.");
  return { traces: rows.map(toSummary), totals: total };
}

function filter({ fromUnixNano, untilUnixNano, text }: TraceQuery) {
  const conditions = ["1"];
  const parameters: Record<string, unknown> = {};

  if (fromUnixNano !== undefined) {
    conditions.push("end >= {from:Int64}");
    parameters.from = fromUnixNano;
  }
  if (untilUnixNano !== undefined) {
    conditions.push("start <= {until:Int64}");
    parameters.until = untilUnixNano;
  }
  if (text !== "") {
    conditions.push(
      "arrayExists(field -> positionCaseInsensitiveUTF8(field, {text:String}) > 0, [traceId, rootName, rootTags])",
    );
    parameters.text = text;
  }
  return { condition: conditions.join(" AND "), parameters };
}

// Nanoseconds since the epoch do not fit a JSON number, so they travel as text.
const summaryFields = [
  "traceId, rootName, rootServiceName, rootTags, spanCount, okCount, errorCount",
  "toString(start) AS startUnixNano",
  "toString(lastStart) AS lastStartUnixNano",
  "toString(end) AS endUnixNano",
  ...usageFields,
].join(", ");

const totalFields = [
  "count() AS traceCount",
  "sum(matching.spanCount) AS spanCount",
  "countIf(errorCount = 0 AND rootStatus = 'Ok') AS okTraceCount",
  "countIf(errorCount > 0) AS failedTraceCount",
  ...usageFields.map((name) => `sum(matching.${name}) AS ${name}`),
].join(", ");

type Nanos = "startUnixNano" | "lastStartUnixNano" | "endUnixNano";
type SummaryRow = Omit<TraceSummary, Nanos> & Readonly<Record<Nanos, string>>;

function toSummary(row: SummaryRow): TraceSummary {
  return {
    ...row,
    startUnixNano: BigInt(row.startUnixNano),
    lastStartUnixNano: BigInt(row.lastStartUnixNano),
    endUnixNano: BigInt(row.endUnixNano),
  };
}
