import type { Database } from "./database.js";
import { traceUsage } from "./schema.js";
import type { Condition } from "./span-filter.js";
import { type TraceFilter, traceCondition } from "./trace-filter.js";
import { traceStatus } from "./trace-status.js";
import { addUsage, noUsage, type UsageFigures, usageColumns, usageFields } from "./usage.js";

/** Sums over every trace that a filter matches, not only those on the page. */
export interface TraceTotals extends UsageFigures {
  readonly traceCount: number;
  readonly spanCount: number;
  readonly okTraceCount: number;
  readonly failedTraceCount: number;
}

export type ReadTotals = (projectId: string, filter: TraceFilter) => Promise<TraceTotals>;

/** Traces whose ids begin alike; the summary is ordered by id, so a share lies together in it. */
const shareOf = (traceId: string) => `left(${traceId}, 2)`;

/** Of 256 shares. So many ranges of ids take as long to look for as it takes to compare each id. */
const MAX_RANGES = 48;

interface Share {
  /** Another whenever spans were added, or removed; {@link notAsked} where it was read without. */
  readonly version: string;
  readonly totals: TraceTotals;
}

const notAsked = "";

type Shares = ReadonlyMap<string, Share>;

/** The rows of each part of the summary, by the part's name. */
type Parts = ReadonlyMap<string, number>;

/** What was last read for a project. */
interface KnownTotals {
  readonly filterKey: string;
  /** Undefined where nobody tells. */
  readonly parts: Parts | undefined;
  readonly shares: Shares;
}

const nothingKnown: KnownTotals = { filterKey: "", parts: undefined, shares: new Map() };

/**
 * Totals are not the sum of what arrived (whether a trace failed, and what its wrappers report, takes
 * the whole trace), so traces are read for them: all once, and from then on those of the shares that have
 * other spans. The database itself is asked which, so that processes that share one need not tell each other.
 */
export function createTotals(database: Database): ReadTotals {
  const lastRead = new Map<string, KnownTotals>();

  return async (projectId, filter) => {
    const filterKey = [filter.fromUnixNano, filter.untilUnixNano, filter.text].join("/");
    const parts = await readParts(database);
    const last = lastRead.get(projectId);
    const known = last?.filterKey === filterKey ? last : nothingKnown;
    const shares = await renew(database, projectId, { filter, known, parts });
    lastRead.set(projectId, { filterKey, parts, shares });
    return [...shares.values()].map(({ totals }) => totals).reduce(add, nothing);
  };
}

interface Renewal {
  readonly filter: TraceFilter;
  readonly known: KnownTotals;
  readonly parts: Parts | undefined;
}

async function renew(
  database: Database,
  projectId: string,
  { filter, known, parts }: Renewal,
): Promise<Shares> {
  const added = parts && known.parts && addedTo(known.parts, parts);
  const names = added && (await readSharesIn(database, added));
  if (names) {
    const versions = names.map((name) => [name, notAsked] as const);
    const read = await readShares(database, projectId, { filter, versions });
    return new Map([...known.shares, ...read]);
  }
  const versions = await readVersions(database, projectId);
  const kept = [...known.shares].filter(([name, { version }]) => versions.get(name) === version);
  const keptNames = new Set(kept.map(([name]) => name));
  const changed = [...versions].filter(([name]) => !keptNames.has(name));
  return new Map([
    ...kept,
    ...(await readShares(database, projectId, { filter, versions: changed })),
  ]);
}

/**
 * The parts that the summaries are in. Whatever adds spans or removes some, of any project, makes parts
 * with names that there never were; so does a merge, which changes nothing. The engine tells without reading
 * any of them. Where the summaries are another's spans, added up as they are read, there are none to name.
 */
async function readParts({ layout, read }: Database): Promise<Parts | undefined> {
  if (layout.kind === "read-only") return undefined;
  const parts = await read<{ part: string; rows: number }>(
    "SELECT _part AS part, count() AS rows FROM trace_summary GROUP BY part",
  );
  return new Map(parts.map(({ part, rows }) => [part, rows]));
}

/** Undefined where others are gone: merged with these, or with spans that were removed. */
function addedTo(known: Parts, parts: Parts): Parts | undefined {
  const isThere = ([name, rows]: [string, number]) => parts.get(name) === rows;
  if (![...known].every(isThere)) return undefined;
  return new Map([...parts].filter(([name]) => !known.has(name)));
}

/** The shares, of any project, that have traces in these parts; undefined where some are gone by now. */
async function readSharesIn(database: Database, parts: Parts): Promise<string[] | undefined> {
  if (parts.size === 0) return [];
  const shares = await database.read<{ name: string; rows: number }>(
    `SELECT ${shareOf("TraceId")} AS name, count() AS rows
    FROM trace_summary
    WHERE _part IN {parts:Array(String)}
    GROUP BY name`,
    { parts: [...parts.keys()] },
  );
  const count = (rows: Iterable<number>) => [...rows].reduce((sum, one) => sum + one, 0);
  const areThere = count(shares.map(({ rows }) => rows)) === count(parts.values());
  return areThere ? shares.map(({ name }) => name) : undefined;
}

/** By the share's name: how many spans there are, and when the first and the last of them start. */
async function readVersions(database: Database, projectId: string): Promise<Map<string, string>> {
  const rows = await database.read<{ name: string; version: string }>(
    `SELECT
      ${shareOf("TraceId")} AS name,
      concat(toString(sum(SpanCount)), ' ', toString(min(StartTime)), ' ', toString(max(LastStartTime))) AS version
    FROM trace_summary
    WHERE project_id = {projectId:String}
    GROUP BY name`,
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
  const shares = shareCondition(versions.map(([name]) => name));
  const matching = traceCondition(filter);
  const rows = await database.read<TraceTotals & { readonly name: string }>(
    `SELECT
      ${shareOf("matching.traceId")} AS name,
      count() AS traceCount,
      sum(matching.spanCount) AS spanCount,
      countIf(status = 'ok') AS okTraceCount,
      countIf(status = 'failed') AS failedTraceCount,
      ${usageFields.map((name) => `sum(matching.${name}) AS ${name}`).join(", ")}
    FROM (${tracesOf(shares)} HAVING ${matching.sql}) AS matching
    GROUP BY name`,
    { projectId, ...shares.parameters, ...matching.parameters },
  );
  const totals = new Map(rows.map(({ name, ...sums }) => [name, sums]));
  return versions.map(([name, version]) => [
    name,
    { version, totals: totals.get(name) ?? nothing },
  ]);
}

/** By ranges of ids, which the primary key finds; where they are many, all ids are read. */
function shareCondition(names: readonly string[]): Condition {
  if (names.length > MAX_RANGES) {
    return {
      sql: `${shareOf("TraceId")} IN {shares:Array(String)}`,
      parameters: { shares: names },
    };
  }
  const ranges = names.map((_, index) => `startsWith(TraceId, {share${index}:String})`);
  return {
    sql: `(${ranges.join(" OR ")})`,
    parameters: Object.fromEntries(names.map((name, index) => [`share${index}`, name])),
  };
}

// By a number, which groups twice as fast as the id; the engine reads what a filter uses, and no more.
const tracesOf = (shares: Condition) => `
SELECT
  any(TraceId) AS traceId,
  argMinMerge(Root) AS root,
  root.SpanName AS rootName,
  root.Tags AS rootTags,
  toUnixTimestamp64Nano(min(StartTime)) AS start,
  toUnixTimestamp64Nano(max(EndTime)) AS end,
  sum(SpanCount) AS spanCount,
  ${traceStatus} AS status,
  ${usageColumns(traceUsage)}
FROM trace_summary
WHERE project_id = {projectId:String} AND ${shares.sql}
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
