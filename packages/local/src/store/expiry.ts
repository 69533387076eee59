import type { Database } from "./database.js";
import { type Layout, readIn, storedIn } from "./layout.js";

const before = "fromUnixTimestamp64Nano({before:Int64})";
const spansBefore = `Timestamp < ${before}`;
const uploadsBefore = `uploaded_at < ${before}`;

// Whole traces: what is left of one that is cut says nothing true of it.
const expiredIn = (summary: string) => `
SELECT project_id, TraceId FROM ${summary}
GROUP BY project_id, TraceId
HAVING max(LastStartTime) < ${before}`;

/**
 * The summary goes last: it says what is expired, so a removal that was cut short is done again.
 *
 * A delete marks rows, and marked rows leave the disk when their part is next rewritten, which for a
 * part of an old month may be never: the third statement has it done, in the background.
 */
export function removals(layout: Layout): string[] {
  const ofExpired = `(project_id, TraceId) IN (${expiredIn(readIn("trace_summary", layout))})`;
  return [
    `DELETE FROM ${storedIn("otel_traces", layout)} WHERE ${spansBefore} AND ${ofExpired}`,
    `DELETE FROM ${storedIn("span_lookup", layout)} WHERE ${spansBefore} AND ${ofExpired}`,
    `ALTER TABLE ${storedIn("otel_traces", layout)} APPLY DELETED MASK`,
    `DELETE FROM ${storedIn("uploads", layout)} WHERE ${uploadsBefore}`,
    `DELETE FROM ${storedIn("trace_summary", layout)} WHERE ${ofExpired}`,
  ];
}

// A delete rewrites something of every part, whether or not it holds anything that goes: seconds, while exports wait.
const anyExpired = `
SELECT 1 FROM (
  SELECT 1 FROM (${expiredIn("trace_summary")}) LIMIT 1
  UNION ALL
  SELECT 1 FROM uploads WHERE ${uploadsBefore} LIMIT 1
)
LIMIT 1`;

/** Removes traces of all projects whose last span started before that, and what was uploaded before it. */
export async function removeExpired(database: Database, beforeUnixNano: bigint): Promise<void> {
  const parameters = { before: beforeUnixNano };
  if ((await database.read(anyExpired, parameters)).length === 0) return;
  for (const statement of removals(database.layout)) await database.write(statement, parameters);
}
