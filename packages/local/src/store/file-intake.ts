import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Database, SpanIntake } from "./database.js";
import { DiskFullError, RESERVED_BYTES, requireRoom } from "./disk-space.js";
import { quoted } from "./quoted.js";
import { byteLength, type EncodedSpan, insertColumns, rowStructure, rowsOf } from "./row-binary.js";
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
  const halfDone = new Set<string>();
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(COMPLETE)) halfDone.add(path);
    else await rm(path);
  }
  await repair();

  let sequence = 0;

  async function repair(): Promise<void> {
    for (const path of halfDone) {
      await deriveAgain(database, path);
      await rm(path);
      halfDone.delete(path);
    }
  }

  async function insert(path: string): Promise<void> {
    try {
      await database.write(insertFile(path));
    } catch (error) {
      halfDone.add(path);
      await repair();
      throw error;
    }
    await rm(path);
  }

  return {
    async stage(spans) {
      // They are on disk twice at most, in a file and in tables.
      await requireRoom(folder, RESERVED_BYTES + 2 * byteLength(spans));
      await repair();
      const path = join(folder, `${sequence++}${COMPLETE}`);
      const unfinished = `${path}.part`;
      try {
        await writeRows(unfinished, spans);
        await rename(unfinished, path);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
      return { insert: () => insert(path), discard: () => rm(path) };
    },
  };
}

/** A file gets this ending when all of its rows are in it. */
const COMPLETE = ".rows";

/** The path is no parameter: the driver runs one statement with parameters at a time, so reads would wait. */
const tableOf = (path: string) => `file(${quoted(path)}, 'RowBinary', '${rowStructure}')`;

const insertFile = (path: string) => `
INSERT INTO otel_traces ${insertColumns} SELECT * FROM ${tableOf(path)}
SETTINGS ${Object.entries(insertSettings)
  .map(([name, value]) => `${name} = '${value}'`)
  .join(", ")}`;

/** In one call: `writeFile` waits for the event loop after each half megabyte. */
async function writeRows(path: string, spans: readonly EncodedSpan[]): Promise<void> {
  const file = await open(path, "w");
  try {
    const { bytesWritten } = await file.writev(rowsOf(spans));
    if (bytesWritten < byteLength(spans)) throw new DiskFullError();
  } finally {
    await file.close();
  }
}

async function deriveAgain(database: Pick<Database, "write">, path: string): Promise<void> {
  const ofTheseTraces = `WHERE TraceId IN (SELECT TraceId FROM ${tableOf(path)})`;
  const statements = [
    `DELETE FROM trace_summary ${ofTheseTraces}`,
    `INSERT INTO trace_summary ${summarizeSpans("otel_traces")} ${ofTheseTraces} GROUP BY project_id, TraceId`,
    `DELETE FROM span_lookup ${ofTheseTraces}`,
    `INSERT INTO span_lookup ${locateSpans("otel_traces")} ${ofTheseTraces}`,
  ];
  for (const statement of statements) await database.write(statement);
}
