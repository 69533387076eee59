import type { Database } from "./database.js";
import { type TraceFilter, traceCondition } from "./trace-filter.js";
import { createTotals, type TraceTotals } from "./trace-totals.js";
import {
  type SummaryRow,
  summaries,
  summaryFields,
  type TraceSummary,
  toSummary,
} from "./traces.js";

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

export interface TraceQuery extends TraceFilter {
  readonly orderBy: TraceOrder;
  readonly descending: boolean;
  readonly limit: number;
  readonly offset: number;
}

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

export interface TracePage {
  readonly traces: readonly TraceSummary[];
  readonly totals: TraceTotals;
}

export type ListTraces = (projectId: string, query: TraceQuery) => Promise<TracePage>;

export function createTraceList(database: Database): ListTraces {
  const readTotals = createTotals(database);

  return async (projectId, query) => {
    const [traces, totals] = await Promise.all([
      listTraces(database, projectId, query),
      readTotals(projectId, query),
    ]);
    return { traces, totals };
  };
}

async function listTraces(
  database: Database,
  projectId: string,
  query: TraceQuery,
): Promise<TraceSummary[]> {
  const page = await listFromOneEnd(database, projectId, query);
  if (page) return page;
  const ids = await sortAllTraces(database, projectId, query);
  return await readPage(database, projectId, { ...query, offset: 0, ids });
}

const orderBy = (query: TraceQuery) =>
  `ORDER BY ${orderColumns[query.orderBy]} ${query.descending ? "DESC" : "ASC"}, traceId`;

/** The ids of a page: the engine reads what the filter and the order use, and no more. */
async function sortAllTraces(
  database: Database,
  projectId: string,
  query: TraceQuery,
): Promise<string[]> {
  const { sql, parameters } = traceCondition(query);
  const rows = await database.read<{ traceId: string }>(
    `SELECT traceId FROM (${summaries} GROUP BY TraceId HAVING ${sql})
    ${orderBy(query)} LIMIT {limit:UInt32} OFFSET {offset:UInt64}`,
    { projectId, ...parameters, limit: query.limit, offset: query.offset },
  );
  return rows.map(({ traceId }) => traceId);
}

/** A page of these traces. */
async function readPage(
  database: Database,
  projectId: string,
  query: TraceQuery & { readonly ids: readonly string[] },
): Promise<TraceSummary[]> {
  const { sql, parameters } = traceCondition(query);
  const { limit, offset, ids } = query;
  const rows = await database.read<SummaryRow>(
    `SELECT ${summaryFields}
    FROM (${summaries} AND TraceId IN {ids:Array(String)} GROUP BY TraceId HAVING ${sql})
    ${orderBy(query)} LIMIT {limit:UInt32} OFFSET {offset:UInt64}`,
    { projectId, ...parameters, ids, limit, offset },
  );
  return rows.map(toSummary);
}

/** How many times as many rows each further look is at. */
const FURTHER_LOOK = 8;
/** Past this it is no more work to look at all traces. */
const MAX_CANDIDATES = 2000;

/**
 * The newest traces, or the oldest, without looking at the others: a trace starts when the earliest of
 * its rows does, so those that start past the last of the first few rows are among these. Once merged, a
 * trace has one row; one whose spans came in several batches has some until then, which takes a further look.
 * Undefined where that does not tell, or the order is another.
 */
async function listFromOneEnd(
  database: Database,
  projectId: string,
  query: TraceQuery,
): Promise<TraceSummary[] | undefined> {
  const { orderBy, descending, limit, offset, text } = query;
  if (orderBy !== "start_time" || text !== "") return undefined;

  for (let count = limit + offset + 1; count <= MAX_CANDIDATES; count *= FURTHER_LOOK) {
    const candidates = await readCandidates(database, projectId, query, count);
    const ids = [...new Set(candidates.map(({ traceId }) => traceId))];
    const page = await readPage(database, projectId, { ...query, ids });
    if (candidates.length < count) return page;

    const last = page[limit - 1]?.startUnixNano;
    const bound = BigInt(candidates.at(-1)?.startUnixNano ?? 0);
    const isComplete = last !== undefined && (descending ? last > bound : last < bound);
    if (isComplete) return page;
    // What the filter leaves out of these, it may leave out of any number.
    if (page.length < Math.min(limit, ids.length - offset)) return undefined;
  }
  return undefined;
}

async function readCandidates(
  database: Database,
  projectId: string,
  { descending, untilUnixNano }: TraceQuery,
  count: number,
): Promise<{ traceId: string; startUnixNano: string }[]> {
  const until = "AND StartTime <= fromUnixTimestamp64Nano({until:Int64})";
  return await database.read(
    `SELECT TraceId AS traceId, toString(toUnixTimestamp64Nano(StartTime)) AS startUnixNano
    FROM trace_summary
    WHERE project_id = {projectId:String} ${untilUnixNano === undefined ? "" : until}
    ORDER BY StartTime ${descending ? "DESC" : "ASC"}
    LIMIT {count:UInt32}`,
    { projectId, count, until: untilUnixNano ?? 0n },
  );
}
