import type { Database } from "./database.js";
import { traceUsage } from "./schema.js";
import { type TraceFilter, traceCondition } from "./trace-filter.js";
import { addUsage, noUsage, type UsageFigures, usageColumns, usageFields } from "./usage.js";

/** Sums over every trace that a filter matches, not only those on the page. */
export interface TraceTotals extends UsageFigures {
  readonly traceCount: number;
  readonly spanCount: number;
  /** Traces whose root span is OK and that hold no failed span. */
  readonly okTraceCount: number;
  /** Traces with at least one failed span. */
  readonly failedTraceCount: number;
}

export type ReadTotals = (projectId: string, filter: TraceFilter) => Promise<TraceTotals>;

/** Traces whose ids begin alike: the summary is ordered by them, so a share of it is read as fast as it is small. */
const share = "left(TraceId, 2)";

interface Share {
  /** Another whenever spans were added, or removed. */
  readonly version: string;
  readonly totals: TraceTotals;
}

type Shares = ReadonlyMap<string, Share>;

/**
 * Totals are not the sum of what arrived (whether a trace failed, and what its wrappers report, takes
 * the whole trace), so traces are read for them: all once, and from then on those of the shares that have
 * other spans. The database itself is asked which, so that processes that share one need not tell each other.
 */
export function createTotals(database: Database): ReadTotals {
  const known = new Map<string, { of: string; version: string; shares: Shares }>();

  return async (projectId, filter) => {
    const of = [filter.fromUnixNano, filter.untilUnixNano, filter.text].join("/");
    const version = await readVersion(database, projectId);
    const last = known.get(projectId);
    const before: Shares = last?.of === of ? last.shares : new Map();
    const isCurrent = last?.of === of && last.version === version;
    const shares = isCurrent ? before : await renewed(database, projectId, { filter, before });
    known.set(projectId, { of, version, shares });
    return [...shares.values()].map(({ totals }) => totals).reduce(add, nothing);
  };
}

async function renewed(
  database: Database,
  projectId: string,
  { filter, before }: { readonly filter: TraceFilter; readonly before: Shares },
): Promise<Shares> {
  const versions = await readVersions(database, projectId);
  const kept = new Map([...before].filter(([name, { version }]) => versions.get(name) === version));
  const changed = [...versions].filter(([name]) => !kept.has(name));
  const read = await readShares(database, projectId, { filter, versions: changed });
  return new Map([...kept, ...read]);
}

/** Another whenever there are other spans: how many there are, and when the first and the last of them start. */
const version =
  "concat(toString(sum(SpanCount)), ' ', toString(min(StartTime)), ' ', toString(max(LastStartTime))) AS version FROM trace_summary WHERE project_id = {projectId:String}";

/** Of all shares together, in half the time that it takes to tell them apart. */
async function readVersion(database: Database, projectId: string): Promise<string> {
  const rows = await database.read<{ version: string }>(`SELECT ${version}`, { projectId });
  return rows[0]?.version ?? "";
}

/** By the share's name. */
async function readVersions(database: Database, projectId: string): Promise<Map<string, string>> {
  const rows = await database.read<{ name: string; version: string }>(
    `SELECT ${share} AS name, ${version} GROUP BY name`,
    { projectId },
  );
  return new Map(rows.map(({ name, version }) => [name, version]));
}

interface ChangedShares {
  readonly filter: TraceFilter;
  readonly versions: readonly (readonly [string, string])[];
}

async function readShares(
  database: Database,
  projectId: string,
  { filter, versions }: ChangedShares,
): Promise<[string, Share][]> {
  if (versions.length === 0) return [];
  const { sql, parameters } = traceCondition(filter);
  const rows = await database.read<TraceTotals & { readonly name: string }>(
    `SELECT
      left(matching.traceId, 2) AS name,
      count() AS traceCount,
      sum(matching.spanCount) AS spanCount,
      countIf(errorCount = 0 AND okRootCount > 0) AS okTraceCount,
      countIf(errorCount > 0) AS failedTraceCount,
      ${usageFields.map((name) => `sum(matching.${name}) AS ${name}`).join(", ")}
    FROM (${traces} HAVING ${sql}) AS matching
    GROUP BY name`,
    { projectId, shares: versions.map(([name]) => name), ...parameters },
  );
  const totals = new Map(rows.map(({ name, ...sums }) => [name, sums]));
  return versions.map(([name, version]) => [
    name,
    { version, totals: totals.get(name) ?? nothing },
  ]);
}

// By a number, which groups twice as fast as the id; the engine reads what a filter uses, and no more.
const traces = `
SELECT
  any(TraceId) AS traceId,
  argMinMerge(Root) AS root,
  root.SpanName AS rootName,
  root.Tags AS rootTags,
  toUnixTimestamp64Nano(min(StartTime)) AS start,
  toUnixTimestamp64Nano(max(EndTime)) AS end,
  sum(SpanCount) AS spanCount,
  sum(ErrorCount) AS errorCount,
  sum(OkRootCount) AS okRootCount,
  ${usageColumns(traceUsage)}
FROM trace_summary
WHERE project_id = {projectId:String} AND ${share} IN {shares:Array(String)}
GROUP BY cityHash64(TraceId)`;

const nothing: TraceTotals = {
  ...noUsage,
  traceCount: 0,
  spanCount: 0,
  okTraceCount: 0,
  failedTraceCount: 0,
};

function add(one: TraceTotals, other: TraceTotals): TraceTotals {
  return {
    ...addUsage(one, other),
    traceCount: one.traceCount + other.traceCount,
    spanCount: one.spanCount + other.spanCount,
    okTraceCount: one.okTraceCount + other.okTraceCount,
    failedTraceCount: one.failedTraceCount + other.failedTraceCount,
  };
}
