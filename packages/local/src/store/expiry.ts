import type { Database } from "./database.js";
import { type Layout, readIn, storedIn } from "./layout.js";

/** What a statement may hold of a time: written into it, because reads wait for statements that have parameters. */
const instant = (unixNano: bigint) => `fromUnixTimestamp64Nano(toInt64(${unixNano}))`;

// Whole traces: what is left of one that is cut says nothing true of it.
const expiredIn = (summary: string, before: string) => `
SELECT project_id, TraceId FROM ${summary}
GROUP BY project_id, TraceId
HAVING max(LastStartTime) < ${before}`;

/**
 * What removes traces whose last span started before that, and uploads from before it.
 *
 * The summary goes last: it says which traces are expired, so that a removal which was cut short is done
 * again. Deletes only mark rows, which leave the disk when their part is next rewritten, for a part of an
 * old month perhaps never; `APPLY DELETED MASK` has it done in the background. Of uploads, which no
 * summary knows, that is one statement: there is no cutting it short.
 */
export function removals(layout: Layout, beforeUnixNano: bigint): string[] {
  const before = instant(beforeUnixNano);
  const expired = expiredIn(readIn("trace_summary", layout), before);
  const ofExpired = `(project_id, TraceId) IN (${expired})`;
  const spansOfExpired = `Timestamp < ${before} AND ${ofExpired}`;
  return [
    `DELETE FROM ${storedIn("otel_traces", layout)} WHERE ${spansOfExpired}`,
    `DELETE FROM ${storedIn("span_lookup", layout)} WHERE ${spansOfExpired}`,
    `ALTER TABLE ${storedIn("otel_traces", layout)} APPLY DELETED MASK`,
    `ALTER TABLE ${storedIn("uploads", layout)} DELETE WHERE uploaded_at < ${before}`,
    `DELETE FROM ${storedIn("trace_summary", layout)} WHERE ${ofExpired}`,
  ];
}

/** How many traces and uploads there are to remove. */
export interface Expired {
  readonly traceCount: number;
  readonly uploadCount: number;
}

const countExpired = (before: string) => `
SELECT
  (SELECT count() FROM (${expiredIn("trace_summary", before)})) AS traceCount,
  (SELECT count() FROM uploads WHERE uploaded_at < ${before}) AS uploadCount`;

/**
 * Removes traces of all projects whose last span started before that, and what was uploaded before it.
 * Where there are none nothing is deleted: a delete rewrites something of every part, whether or not it
 * holds anything that goes, for seconds, while exports wait.
 */
export async function removeExpired(database: Database, beforeUnixNano: bigint): Promise<Expired> {
  const [expired] = await database.read<Expired>(countExpired(instant(beforeUnixNano)));
  if (!expired) throw new Error("An aggregate without keys answers one row.");
  if (expired.traceCount + expired.uploadCount === 0) return expired;
  for (const statement of removals(database.layout, beforeUnixNano)) {
    await database.write(statement);
  }
  return expired;
}
