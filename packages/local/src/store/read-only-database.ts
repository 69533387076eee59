import { StartError } from "../start-error.js";
import type { ClickHouseServer, Database } from "./database.js";
import { derivedColumns } from "./derived-columns.js";
import type { Project } from "./projects.js";
import { columnNames } from "./row-binary.js";
import { locateSpans, summarizeSpans } from "./schema.js";

/**
 * AgentOps' own database, as it is: `otel_traces` without what is derived on insert here, and nothing
 * else. Every query brings what is missing, under the names that it reads; the engine works out what the query uses.
 */
export function readOnlyDatabase(
  server: Database,
  { database: name }: ClickHouseServer,
  projects: readonly Project[],
): Database {
  const sources = sourcesOf(name, projects);
  return {
    layout: { kind: "read-only" },
    read: (sql, parameters) => server.read(`${sources} ${sql}`, parameters),
    write: refuse,
    insert: refuse,
    openIntake: async () => ({ stage: refuse }),
    close: () => server.close(),
  };
}

async function refuse(): Promise<never> {
  throw new StartError("This database is only read: agentops-local runs with --read-only.");
}

function sourcesOf(database: string, projects: readonly Project[]): string {
  const derived = derivedColumns.map(([name, , expression]) => `${expression} AS ${name}`);
  return `WITH
  otel_traces AS (
    SELECT project_id, ${[...columnNames, ...derived].join(", ")}
    FROM ${database}.otel_traces
  ),
  trace_summary AS (${summarizeSpans("otel_traces")} GROUP BY project_id, TraceId),
  span_lookup AS (${locateSpans("otel_traces")}),
  projects AS (
    SELECT * FROM values(
      'id String, name String, environment String, api_key String, created_at UInt32',
      ${projects.map(projectRow).join(", ")}
    )
  ),
  uploads AS (
    SELECT '' AS project_id, '' AS kind, '' AS id, '' AS content_base64, now() AS uploaded_at WHERE 0
  )`;
}

/** Ids and keys are UUIDs, and the name is the id's beginning: nothing in them ends a literal. */
function projectRow({ id, name, environment, apiKey }: Project, index: number): string {
  return `('${id}', '${name}', '${environment}', '${apiKey}', ${index})`;
}
