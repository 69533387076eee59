import type { Database } from "./database.js";
import { summarizeSpans, traceUsage } from "./schema.js";
import { type TraceStatus, traceStatus } from "./trace-status.js";
import { type UsageFigures, usageColumns, usageFields } from "./usage.js";

/** Spans that started in this range, both ends included. */
export interface ProjectMetricsQuery {
  readonly fromUnixNano: bigint | undefined;
  readonly untilUnixNano: bigint | undefined;
}

/** One project over a range of time. */
export interface ProjectMetrics extends UsageFigures {
  readonly spanCount: number;
  readonly okCount: number;
  readonly errorCount: number;
  /** Undefined where there is no span. */
  readonly startUnixNano: bigint | undefined;
  readonly lastStartUnixNano: bigint | undefined;
  /** No particular order. */
  readonly traces: readonly TraceFigures[];
  /** Of single spans that took any time; all 0 where none did. */
  readonly spanDurationsNano: DurationFigures;
  /** For each trace, what its spans took together, ascending. */
  readonly traceDurationsNano: readonly number[];
}

export interface TraceFigures {
  readonly status: TraceStatus;
  readonly spanCount: number;
  readonly totalTokens: number;
  readonly totalCostUsd: number;
  readonly lastStartUnixNano: bigint;
}

interface DurationFigures {
  readonly min: number;
  readonly max: number;
  readonly avg: number;
  readonly total: number;
}

export async function readProjectMetrics(
  database: Database,
  projectId: string,
  { fromUnixNano, untilUnixNano }: ProjectMetricsQuery,
): Promise<ProjectMetrics> {
  const where = `WHERE project_id = {projectId:String}
    ${fromUnixNano === undefined ? "" : "AND Timestamp >= fromUnixTimestamp64Nano({from:Int64})"}
    ${untilUnixNano === undefined ? "" : "AND Timestamp <= fromUnixTimestamp64Nano({until:Int64})"}`;
  const parameters = {
    projectId,
    ...(fromUnixNano !== undefined && { from: fromUnixNano }),
    ...(untilUnixNano !== undefined && { until: untilUnixNano }),
  };

  const [[figures], [durations]] = await Promise.all([
    database.read<FiguresRow>(`SELECT ${figureColumns} FROM (${tracesOf(where)}) AS t`, parameters),
    database.read<DurationsRow>(durationsOf(where), parameters),
  ]);
  if (!figures || !durations) throw new Error("An aggregate without keys answers one row.");

  const { start, lastStart, traces, ...sums } = figures;
  const { traceDurationsNano, ...spanDurationsNano } = durations;
  return {
    ...sums,
    startUnixNano: traces.length > 0 ? BigInt(start) : undefined,
    lastStartUnixNano: traces.length > 0 ? BigInt(lastStart) : undefined,
    traces: traces.map(toTrace),
    spanDurationsNano,
    traceDurationsNano,
  };
}

/** From spans and not from the summary, which knows nothing of the part of a trace that is in range. */
const tracesOf = (where: string) => `
SELECT
  ${traceStatus} AS status,
  toUnixTimestamp64Nano(min(StartTime)) AS start,
  toUnixTimestamp64Nano(max(LastStartTime)) AS lastStart,
  sum(SpanCount) AS spanCount,
  sum(OkCount) AS okCount,
  sum(ErrorCount) AS errorCount,
  ${usageColumns(traceUsage)}
FROM (${summarizeSpans("otel_traces")} ${where} GROUP BY project_id, TraceId)
GROUP BY TraceId`;

// Nanoseconds since the epoch do not fit a JSON number, so they travel as text.
const figureColumns = [
  "sum(t.spanCount) AS spanCount",
  "sum(t.okCount) AS okCount",
  "sum(t.errorCount) AS errorCount",
  "toString(min(t.start)) AS start",
  "toString(max(t.lastStart)) AS lastStart",
  ...usageFields.map((name) => `sum(t.${name}) AS ${name}`),
  "groupArray((t.status, t.spanCount, t.totalTokens, t.totalCostUsd, toString(t.lastStart))) AS traces",
].join(", ");

const durationsOf = (where: string) => `
SELECT
  minIf(shortest, longest > 0) AS min,
  max(longest) AS max,
  if(sum(timed) = 0, 0, sum(spent) / sum(timed)) AS avg,
  sum(spent) AS total,
  arraySort(groupArray(spent)) AS traceDurationsNano
FROM (
  SELECT
    minIf(Duration, Duration > 0) AS shortest,
    max(Duration) AS longest,
    countIf(Duration > 0) AS timed,
    sum(Duration) AS spent
  FROM otel_traces ${where}
  GROUP BY TraceId
)`;

type TraceTuple = readonly [TraceStatus, number, number, number, string];

interface FiguresRow extends UsageFigures {
  readonly spanCount: number;
  readonly okCount: number;
  readonly errorCount: number;
  readonly start: string;
  readonly lastStart: string;
  readonly traces: readonly TraceTuple[];
}

interface DurationsRow extends DurationFigures {
  readonly traceDurationsNano: readonly number[];
}

function toTrace([status, spanCount, totalTokens, totalCostUsd, lastStart]: TraceTuple) {
  return { status, spanCount, totalTokens, totalCostUsd, lastStartUnixNano: BigInt(lastStart) };
}
