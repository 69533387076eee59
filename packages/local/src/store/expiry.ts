import type { Database } from "./database.js";
import { type Layout, readIn, storedIn } from "./layout.js";

// Whole traces: what is left of one that is cut says nothing true of it.
const expired = (layout: Layout) => `
SELECT project_id, TraceId FROM ${readIn("trace_summary", layout)}
GROUP BY project_id, TraceId
HAVING max(LastStartTime) < fromUnixTimestamp64Nano({before:Int64})`;

/**
 * The summary goes last: it says what is expired, so a removal that was cut short is done again.
 *
 * A delete marks rows, and marked rows leave the disk when their part is next rewritten, which for a
 * part of an old month may be never: the last statement has it done, in the background.
 */
export const removals = (layout: Layout) => [
  `DELETE FROM ${storedIn("otel_traces", layout)} WHERE ${spansBefore} AND (project_id, TraceId) IN (${expired(layout)})`,
  `DELETE FROM ${storedIn("span_lookup", layout)} WHERE ${spansBefore} AND (project_id, TraceId) IN (${expired(layout)})`,
  `DELETE FROM ${storedIn("trace_summary", layout)} WHERE (project_id, TraceId) IN (${expired(layout)})`,
  `DELETE FROM ${storedIn("uploads", layout)} WHERE uploaded_at < fromUnixTimestamp64Nano({before:Int64})`,
  `ALTER TABLE ${storedIn("otel_traces", layout)} APPLY DELETED MASK`,
];

const spansBefore = "Timestamp < fromUnixTimestamp64Nano({before:Int64})";

/** Removes traces of all projects whose last span started before that, and what was uploaded before it. */
export async function removeExpired(database: Database, beforeUnixNano: bigint): Promise<void> {
  const parameters = { before: beforeUnixNano };
  if ((await database.read(anyExpired, parameters)).length === 0) return;
  for (const statement of removals(database.layout)) await database.write(statement, parameters);
}

// A delete rewrites something of every part, whether or not it holds anything that goes: seconds, while exports wait.
const anyExpired = `
SELECT 1 FROM (
  SELECT 1 FROM trace_summary
  GROUP BY project_id, TraceId
  HAVING max(LastStartTime) < fromUnixTimestamp64Nano({before:Int64})
  LIMIT 1
  UNION ALL
  SELECT 1 FROM uploads WHERE uploaded_at < fromUnixTimestamp64Nano({before:Int64}) LIMIT 1
)
LIMIT 1`;
