import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "./database.js";
import { type EncodedSpan, insertColumns, rowStructure, spanKey } from "./row-binary.js";
import { locateSpans, summarizeSpans, textIndex } from "./schema.js";

/** Adds spans to the database. One call at a time. */
export interface SpanLog {
  /** Resolves once the spans that were not there yet are on disk, in the summary and in the lookup. */
  append(spans: readonly EncodedSpan[]): Promise<void>;
}

/**
 * Opens the log whose batches pass through files in `folder`, on their way into the engine.
 *
 * A span counts once, however often and in whatever company it is sent: before a batch goes in, each
 * of its ids is looked up on disk, so the answer is the same after a restart. There is no race between
 * lookup and insert because the engine lets one process open its folder, and that process appends one
 * batch at a time. Everything derived on insert (the summary's sums above all) sees a span once too.
 *
 * The engine writes a batch to three tables one after the other. A file is removed only after all
 * three have it; one that is still here names the traces that a killed process may have left half
 * derived, and they are derived again from their spans.
 */
export async function openSpanLog(database: Database, folder: string): Promise<SpanLog> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(COMPLETE)) await deriveAgain(database, path);
    await rm(path);
  }

  let sequence = 0;

  /** Puts the spans that are not stored yet into the file. */
  async function makeReady(path: string, spans: readonly EncodedSpan[]): Promise<void> {
    const unfinished = `${path}.part`;
    const rows = new Map(spans.map(({ key, row }) => [key, row] as const));
    try {
      // Side by side, and written again if some are stored: that is rare, and the engine waits meanwhile.
      const written = writeRows(unfinished, [...rows.values()]);
      const [stored] = await Promise.all([storedKeys(database, spans), written]);
      for (const key of stored) rows.delete(key);
      if (stored.length > 0) await writeRows(unfinished, [...rows.values()]);
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  async function insert(path: string): Promise<void> {
    try {
      await database.write(
        `INSERT INTO otel_traces ${insertColumns} SELECT * FROM ${rowsFile} SETTINGS max_partitions_per_insert_block = 0, exclude_materialize_skip_indexes_on_insert = '${textIndex}'`,
        { path },
      );
    } catch (error) {
      await deriveAgain(database, path);
      await rm(path);
      throw error;
    }
    await rm(path);
  }

  return {
    async append(spans) {
      const path = join(folder, `${sequence++}${COMPLETE}`);
      await makeReady(path, spans);
      await insert(path);
    },
  };
}

/** A file gets this ending when all of its rows are in it. */
const COMPLETE = ".rows";

const rowsFile = `file({path:String}, 'RowBinary', '${rowStructure}')`;

/** In one call: `writeFile` waits for the event loop after each half megabyte. */
async function writeRows(path: string, rows: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, "w");
  try {
    const { bytesWritten } = await file.writev(rows);
    const bytes = rows.reduce((sum, row) => sum + row.length, 0);
    if (bytesWritten < bytes)
      throw new Error(`Only ${bytesWritten} of ${bytes} bytes fit the disk.`);
  } finally {
    await file.close();
  }
}

/**
 * By start time, which a span keeps however often it is sent: the table is ordered by it, so this reads
 * what lies near these spans. Ids are random, and looking them up reads more the more there is.
 */
async function storedKeys(database: Database, spans: readonly EncodedSpan[]): Promise<string[]> {
  const rows = await database.read<{ project_id: string; TraceId: string; SpanId: string }>(
    `SELECT project_id, TraceId, SpanId FROM otel_traces
    WHERE project_id IN {projectIds:Array(String)}
      AND Timestamp IN (SELECT fromUnixTimestamp64Nano(arrayJoin({starts:Array(Int64)})))`,
    {
      projectIds: [...new Set(spans.map(({ projectId }) => projectId))],
      starts: spans.map(({ startUnixNano }) => startUnixNano),
    },
  );
  return rows.map((row) => spanKey(row.project_id, row.TraceId, row.SpanId));
}

async function deriveAgain(database: Database, path: string): Promise<void> {
  const ofTheseTraces = `WHERE TraceId IN (SELECT TraceId FROM ${rowsFile})`;
  const statements = [
    `DELETE FROM trace_summary ${ofTheseTraces}`,
    `INSERT INTO trace_summary ${summarizeSpans} ${ofTheseTraces} GROUP BY project_id, TraceId`,
    `DELETE FROM span_lookup ${ofTheseTraces}`,
    `INSERT INTO span_lookup ${locateSpans} ${ofTheseTraces}`,
  ];
  for (const statement of statements) await database.write(statement, { path });
}
