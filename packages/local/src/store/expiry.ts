import type { Database } from "./database.js";

// Whole traces: what is left of one that is cut says nothing true of it.
const expired = `
SELECT project_id, TraceId FROM trace_summary
GROUP BY project_id, TraceId
HAVING max(LastStartTime) < fromUnixTimestamp64Nano({before:Int64})`;

/**
 * The summary goes last: it says what is expired, so a removal that was cut short is done again.
 *
 * A delete marks rows, and marked rows leave the disk when their part is next rewritten, which for a
 * part of an old month may be never: the last statement has it done, in the background.
 */
const statements = [
  `DELETE FROM otel_traces WHERE Timestamp < fromUnixTimestamp64Nano({before:Int64}) AND (project_id, TraceId) IN (${expired})`,
  `DELETE FROM span_lookup WHERE Timestamp < fromUnixTimestamp64Nano({before:Int64}) AND (project_id, TraceId) IN (${expired})`,
  `DELETE FROM trace_summary WHERE (project_id, TraceId) IN (${expired})`,
  "DELETE FROM uploads WHERE uploaded_at < fromUnixTimestamp64Nano({before:Int64})",
  "ALTER TABLE otel_traces APPLY DELETED MASK",
];

/** Removes traces of all projects whose last span started before that, and what was uploaded before it. */
export async function removeExpired(database: Database, beforeUnixNano: bigint): Promise<void> {
  for (const statement of statements) await database.write(statement, { before: beforeUnixNano });
}
