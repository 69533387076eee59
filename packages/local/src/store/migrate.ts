import { StartError } from "../start-error.js";
import type { Database } from "./database.js";
import { migrations } from "./schema.js";

const schemaMigrations = `
CREATE TABLE IF NOT EXISTS schema_migrations (
  version UInt32,
  name String,
  applied_at DateTime DEFAULT now()
) ENGINE = MergeTree
ORDER BY version`;

/** Brings the tables to this program's version; refuses tables that a newer program wrote. */
export async function migrate(database: Database): Promise<void> {
  await database.write(schemaMigrations);
  const rows = await database.read<{ version: number }>(
    "SELECT max(version) AS version FROM schema_migrations",
  );
  const current = rows[0]?.version ?? 0;
  const latest = migrations.at(-1)?.version ?? 0;

  if (current > latest) {
    throw new StartError(
      `The data folder was written by a newer agentops-local (schema ${current}, this one knows ${latest}). Update agentops-local, or use another --data-dir.`,
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
