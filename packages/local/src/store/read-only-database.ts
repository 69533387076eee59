import { StartError } from "../start-error.js";
import type { ClickHouseServer, Database } from "./database.js";
import { derivedColumns } from "./derived-columns.js";
import { columnNames } from "./row-binary.js";
import { locateSpans, summarizeSpans } from "./schema.js";

/**
 * AgentOps' own database, as it is: `otel_traces` without what is derived on insert here, and nothing
 * else. Every query brings what is missing, under the names that it reads; the engine works out what the query uses.
 */
export function readOnlyDatabase(server: Database, { database: name }: ClickHouseServer): Database {
  const sources = sourcesOf(name);
  return {
    layout: { kind: "read-only" },
    read: (sql, parameters) => server.read(`${sources} ${sql}`, parameters),
    write: refuseWrite,
    insert: refuseWrite,
    openIntake: async () => ({ stage: refuseWrite }),
    close: () => server.close(),
  };
}

export async function refuseWrite(): Promise<never> {
  throw new StartError("This database is only read: agentops-local runs with --read-only.");
}

function sourcesOf(database: string): string {
  const derived = derivedColumns.map(([name, , expression]) => `${expression} AS ${name}`);
  return `WITH
  otel_traces AS (
    SELECT project_id, ${[...columnNames, ...derived].join(", ")}
    FROM ${database}.otel_traces
  ),
  trace_summary AS (${summarizeSpans("otel_traces")} GROUP BY project_id, TraceId),
  span_lookup AS (${locateSpans("otel_traces")}),
  uploads AS (
    SELECT '' AS project_id, '' AS kind, '' AS id, '' AS content_base64, now() AS uploaded_at WHERE 0
  )`;
}
