import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Database, SpanIntake } from "./database.js";
import { insertColumns, rowStructure } from "./row-binary.js";
import { insertSettings, locateSpans, summarizeSpans } from "./schema.js";

/**
 * The way into the embedded engine: batches pass through files in `folder`.
 *
 * The engine writes a batch to three tables one after the other. A file is removed only after all
 * three have it; one that is still here names the traces that a killed process may have left half
 * derived, and they are derived again from their spans.
 */
export async function openFileIntake(
  database: Pick<Database, "write">,
  folder: string,
): Promise<SpanIntake> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(COMPLETE)) await deriveAgain(database, path);
    await rm(path);
  }

  let sequence = 0;

  async function insert(path: string): Promise<void> {
    try {
      await database.write(insertFile, { path });
    } catch (error) {
      await deriveAgain(database, path);
      throw error;
    } finally {
      await rm(path);
    }
  }

  return {
    async stage(spans) {
      const path = join(folder, `${sequence++}${COMPLETE}`);
      await writeRows(
        path,
        spans.map(({ row }) => row),
      );
      return { insert: () => insert(path) };
    },
  };
}

/** A file gets this ending when all of its rows are in it. */
const COMPLETE = ".rows";

const rowsFile = `file({path:String}, 'RowBinary', '${rowStructure}')`;

const insertFile = `
INSERT INTO otel_traces ${insertColumns} SELECT * FROM ${rowsFile}
SETTINGS ${Object.entries(insertSettings)
  .map(([name, value]) => `${name} = '${value}'`)
  .join(", ")}`;

async function writeRows(path: string, rows: readonly Uint8Array[]): Promise<void> {
  const unfinished = `${path}.part`;
  const file = await open(unfinished, "w");
  try {
    await file.writeFile(Buffer.concat(rows));
  } finally {
    await file.close();
  }
  await rename(unfinished, path);
}

async function deriveAgain(database: Pick<Database, "write">, path: string): Promise<void> {
  const ofTheseTraces = `WHERE TraceId IN (SELECT TraceId FROM ${rowsFile})`;
  const statements = [
    `DELETE FROM trace_summary ${ofTheseTraces}`,
    `INSERT INTO trace_summary ${summarizeSpans("otel_traces")} ${ofTheseTraces} GROUP BY project_id, TraceId`,
    `DELETE FROM span_lookup ${ofTheseTraces}`,
    `INSERT INTO span_lookup ${locateSpans("otel_traces")} ${ofTheseTraces}`,
  ];
  for (const statement of statements) await database.write(statement, { path });
}
