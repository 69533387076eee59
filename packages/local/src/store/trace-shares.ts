import type { Database } from "./database.js";
import type { Condition } from "./span-filter.js";

/** Traces whose ids begin alike; the summary is ordered by id, so a share lies together in it. */
export const shareOf = (traceId: string) => `left(${traceId}, 2)`;

/** Of 256 shares. So many ranges of ids take as long to look for as it takes to compare each id. */
const MAX_RANGES = 48;

/** By ranges of ids, which the primary key finds; where they are many, all ids are read. */
export function shareCondition(names: readonly string[]): Condition {
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

/** The rows of each part of the summary, by the part's name. */
export type Parts = ReadonlyMap<string, number>;

/**
 * The parts that the summaries are in; undefined where an AgentOps' own database is read, which has none.
 * Whatever adds spans or removes some, of any project, makes parts with names that its server never had; so
 * does a merge, which changes nothing. The engine tells without reading any of them.
 */
export async function readParts({ layout, read }: Database): Promise<Parts | undefined> {
  if (layout.kind === "read-only") return undefined;
  const parts = await read<{ part: string; rows: number }>(
    "SELECT _part AS part, count() AS rows FROM trace_summary GROUP BY part",
  );
  return new Map(parts.map(({ part, rows }) => [part, rows]));
}

/** The shares, of any project, that may have other spans than when the summary had other parts; undefined: all. */
export async function sharesBetween(
  database: Database,
  before: Parts | undefined,
  now: Parts | undefined,
): Promise<string[] | undefined> {
  if (!before || !now) return undefined;
  if (![...before].every(([name, rows]) => now.get(name) === rows)) return undefined;
  const added = new Map([...now].filter(([name]) => !before.has(name)));
  if (added.size === 0) return [];
  // Each shard counts its parts by itself, so a new one may have the name of one that is gone elsewhere.
  return database.layout.kind === "cluster" ? undefined : await readSharesIn(database, added);
}

/** Undefined where a merge took some of the parts meanwhile: then there are fewer rows. */
async function readSharesIn(database: Database, parts: Parts): Promise<string[] | undefined> {
  const shares = await database.read<{ name: string; rows: number }>(
    `SELECT ${shareOf("TraceId")} AS name, count() AS rows
    FROM trace_summary
    WHERE _part IN {parts:Array(String)}
    GROUP BY name`,
    { parts: [...parts.keys()] },
  );
  const isComplete = sum(shares.map(({ rows }) => rows)) === sum([...parts.values()]);
  return isComplete ? shares.map(({ name }) => name) : undefined;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** How many spans a project has in each share, or in each of these, and when the first and the last of them start. */
export async function readVersions(
  database: Database,
  projectId: string,
  names: readonly string[] | undefined,
): Promise<Map<string, string>> {
  const { sql, parameters } = names ? shareCondition(names) : { sql: "true", parameters: {} };
  const rows = await database.read<{ name: string; version: string }>(
    `SELECT
      ${shareOf("TraceId")} AS name,
      concat(toString(sum(SpanCount)), ' ', toString(min(StartTime)), ' ', toString(max(LastStartTime))) AS version
    FROM trace_summary
    WHERE project_id = {projectId:String} AND ${sql}
    GROUP BY name`,
    { projectId, ...parameters },
  );
  return new Map(rows.map(({ name, version }) => [name, version]));
}
