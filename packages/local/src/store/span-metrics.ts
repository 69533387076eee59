import type { Database } from "./database.js";
import { isUnpriced, usageFigures } from "./derived-columns.js";
import { traceUnpricedCount, traceUsage } from "./schema.js";
import { traceStatus } from "./trace-status.js";
import { type UsageFigures, usageColumns } from "./usage.js";

export const spanMetricsGroups = ["model", "agent", "tool", "span_name"] as const;
export const traceMetricsGroups = ["all", "status", "hour", "day"] as const;
/** What is counted: model calls, agent runs, tool calls or spans; of the others, whole traces. */
export type MetricsGroup = (typeof spanMetricsGroups)[number] | (typeof traceMetricsGroups)[number];

export interface MetricsQuery {
  readonly group: MetricsGroup;
  /** Of these traces only; of any when empty. */
  readonly traceIds: readonly string[];
  /** Spans, or traces, that started from here on. */
  readonly fromUnixNano: bigint | undefined;
  /** Spans, or traces, that had started by then. */
  readonly untilUnixNano: bigint | undefined;
  readonly limit: number;
}

export interface MetricsRow extends UsageFigures {
  /** Empty for those that name no model or agent. */
  readonly key: string;
  readonly count: number;
  readonly errorCount: number;
  /** Nanoseconds, of the levels 0.5, 0.95 and 0.99. */
  readonly quantiles: readonly [number, number, number];
  readonly maxDurationNano: number;
  readonly totalDurationNano: number;
  /** How many of those counted report a cost. */
  readonly pricedCount: number;
  /** How many spans report tokens but no cost; of traces, see `traceUnpricedCount`. */
  readonly unpricedCount: number;
}

/** Most frequent first. */
export async function readMetrics(
  database: Database,
  projectId: string,
  query: MetricsQuery,
): Promise<MetricsRow[]> {
  const { group, fromUnixNano: from, untilUnixNano: until } = query;
  const source = isSpanGroup(group) ? spanSource(group, query) : traceSource(group, query);
  return await database.read<MetricsRow>(
    `SELECT
      key,
      count() AS count,
      countIf(hasFailed) AS errorCount,
      quantilesExactInclusive(0.5, 0.95, 0.99)(duration) AS quantiles,
      max(duration) AS maxDurationNano,
      sum(duration) AS totalDurationNano,
      sum(priced) AS pricedCount,
      sum(unpriced) AS unpricedCount,
      ${usageColumns((figure) => `sum(${figure})`)}
    FROM (${source})
    GROUP BY key
    ORDER BY count DESC, key
    LIMIT {limit:UInt32}`,
    {
      projectId,
      traceIds: query.traceIds,
      limit: query.limit,
      from: from ?? 0n,
      until: until ?? 0n,
    },
  );
}

function isSpanGroup(group: MetricsGroup): group is (typeof spanMetricsGroups)[number] {
  return (spanMetricsGroups as readonly string[]).includes(group);
}

type Selection = Pick<MetricsQuery, "traceIds" | "fromUnixNano" | "untilUnixNano">;

function ofTraces({ traceIds }: Selection): string {
  const ofProject = "project_id = {projectId:String}";
  return traceIds.length > 0 ? `${ofProject} AND TraceId IN {traceIds:Array(String)}` : ofProject;
}

function during(time: string, { fromUnixNano, untilUnixNano }: Selection): string {
  const from = `${time} >= fromUnixTimestamp64Nano({from:Int64})`;
  const until = `${time} <= fromUnixTimestamp64Nano({until:Int64})`;
  return [fromUnixNano !== undefined && from, untilUnixNano !== undefined && until, "1"]
    .filter(Boolean)
    .join(" AND ");
}

const spanKeys = {
  model: "Model",
  agent: "AgentName",
  tool: "ToolName",
  span_name: "SpanName",
} as const;

function spanSource(group: keyof typeof spanKeys, query: Selection): string {
  const selected = `${ofTraces(query)} AND ${during("Timestamp", query)}`;
  return `
    SELECT
      ${spanKeys[group]} AS key,
      StatusCode = 'Error' AS hasFailed,
      Duration AS duration,
      HasCost AS priced,
      ${isUnpriced} AS unpriced,
      PromptTokens, CompletionTokens, CacheReadTokens, ReasoningTokens, TotalTokens,
      PromptCost, CompletionCost, TotalCost
    FROM otel_traces
    WHERE ${selected} AND ${countedSpans(group, selected)}`;
}

/** What makes a span a model call, a tool call or an agent run; one that wraps another is not counted. */
function countedSpans(group: keyof typeof spanKeys, selected: string): string {
  switch (group) {
    case "span_name":
      return "1";
    case "agent":
      return "AgentopsKind = 'agent'";
    case "model":
      return `AgentopsKind = 'llm' AND ${span} NOT IN (${those(parent, selected, "AgentopsKind = 'llm'")})`;
    case "tool":
      return `AgentopsKind = 'tool' AND NOT (${isToldAgain(selected)})`;
  }
}

const span = "cityHash64(TraceId, SpanId)";
const parent = "cityHash64(TraceId, ParentSpanId)";
const those = (what: string, selected: string, condition: string) =>
  `SELECT ${what} FROM otel_traces WHERE ${selected} AND ${condition}`;

/**
 * A model's request for a tool that also runs in the trace, or a tool span right below one of the same tool.
 * Few calls have a tool span below them: an id's own hash, without the trace's, leaves the others out soonest.
 */
function isToldAgain(selected: string): string {
  const isTool = "AgentopsKind = 'tool'";
  const toolOfTrace = "cityHash64(TraceId, ToolName)";
  const parentIds = those("cityHash64(ParentSpanId)", selected, isTool);
  const parents = those(
    `if(${isTool}, cityHash64(${span}, ToolName), ${span})`,
    selected,
    `AgentopsKind IN ('llm', 'tool') AND cityHash64(SpanId) IN (${parentIds})`,
  );
  const executed = those(toolOfTrace, selected, `${isTool} AND ${parent} NOT IN (${parents})`);
  return `
    (${parent} IN (${parents}) AND ${toolOfTrace} IN (${executed}))
    OR cityHash64(${parent}, ToolName) IN (${parents})`;
}

/**
 * How many spans report, or may report, what spans below them report too, which only a trace's tree can
 * tell apart: model calls above other work that counts and, where more than model and tool calls are added
 * up, whatever else reports usage. Without any, sums over single spans are those of the tree. Of named traces only: a project is too much.
 */
export async function countNestedUsage(
  database: Database,
  projectId: string,
  query: MetricsQuery,
): Promise<number | undefined> {
  const { group, traceIds, fromUnixNano: from, untilUnixNano: until } = query;
  if (traceIds.length === 0) return undefined;
  const selected = `${ofTraces(query)} AND ${during("Timestamp", query)}`;
  const reports = "(TotalTokens > 0 OR HasCost)";
  const parents = those(parent, selected, "ParentSpanId != ''");
  const aboveOthers = those(parent, selected, `(${reports} OR ${span} IN (${parents}))`);
  const rows = await database.read<{ count: number }>(
    `SELECT count() AS count FROM otel_traces
    WHERE ${selected} AND (
      (AgentopsKind = 'llm' AND ${span} IN (${aboveOthers}))
      OR (${countsCallsAlone(group) ? "0" : `AgentopsKind NOT IN ('llm', 'tool') AND ${reports}`})
    )`,
    { projectId, traceIds, from: from ?? 0n, until: until ?? 0n },
  );
  return rows[0]?.count;
}

function countsCallsAlone(group: MetricsGroup): boolean {
  return group === "model" || group === "tool";
}

const traceKeys = {
  all: "'all'",
  status: "status",
  hour: "formatDateTime(start, '%Y-%m-%dT%H:00:00', 'UTC')",
  day: "formatDateTime(start, '%Y-%m-%d', 'UTC')",
} as const;

function traceSource(group: keyof typeof traceKeys, query: Selection): string {
  return `
    SELECT
      ${traceKeys[group]} AS key,
      status = 'failed' AS hasFailed,
      toUnixTimestamp64Nano(end) - toUnixTimestamp64Nano(start) AS duration,
      *
    FROM (
      SELECT
        min(StartTime) AS start,
        max(EndTime) AS end,
        ${traceStatus} AS status,
        sum(PricedCount) AS priced,
        ${traceUnpricedCount} AS unpriced,
        ${usageFigures.map(([figure]) => `${traceUsage(figure)} AS ${figure}`).join(", ")}
      FROM trace_summary
      WHERE ${ofTraces(query)}
      GROUP BY TraceId
      HAVING ${during("start", query)}
    )`;
}
