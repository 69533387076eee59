import { StartError } from "../start-error.js";
import type { Database } from "./database.js";
import { createTable } from "./layout.js";
import { migrationsFor, schemaMigrations } from "./schema.js";

/** Brings the tables to this program's version; refuses tables that a newer program wrote. */
export async function migrate(database: Database): Promise<void> {
  await refuseForeign(database);
  const { layout } = database;
  for (const statement of createTable(schemaMigrations, layout)) await database.write(statement);
  const rows = await database.read<{ version: number }>(
    "SELECT max(version) AS version FROM schema_migrations",
  );
  const current = rows[0]?.version ?? 0;
  const migrations = migrationsFor(layout);
  const latest = migrations.at(-1)?.version ?? 0;

  if (current > latest) {
    throw new StartError(
      `The database was written by a newer agentops-local (schema ${current}, this one knows ${latest}). Update agentops-local, or use another --data-dir or CLICKHOUSE_DATABASE.`,
    );
  }

  for (const { version, name, statements } of migrations) {
    if (version <= current) continue;
    for (const statement of statements) await database.write(statement);
    await database.write(
      "INSERT INTO schema_migrations (version, name) SELECT {version:UInt32}, {name:String}",
      { version, name },
    );
  }
}

/** AgentOps' own table has the same name. */
async function refuseForeign(database: Database): Promise<void> {
  const columns = await database.read<{ name: string }>(
    "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = 'otel_traces'",
  );
  if (columns.length === 0 || columns.some(({ name }) => name === "AgentopsKind")) return;
  throw new StartError(
    "That database has an otel_traces that agentops-local did not make. Read it with --read-only, or choose another CLICKHOUSE_DATABASE.",
  );
}
