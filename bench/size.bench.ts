/** How much room spans take, once merged: what the figures of docs/scale.md rest on. */
import { type Database, openDatabase } from "../packages/local/src/store/database.js";
import { startLocalServer, withFolder } from "./local-server.js";
import { recordBatches, SPANS_PER_BATCH, SPANS_PER_TRACE } from "./otlp-batches.js";
import { printTable, rounded } from "./report.js";

const BATCHES = 40;
const SPANS = BATCHES * SPANS_PER_BATCH;

const sizes = await withFolder(async (folder) => {
  await sendBatches(folder);
  const database = await openDatabase({ dataDir: folder });
  try {
    return await measure(database);
  } finally {
    await database.close();
  }
});

printTable(`Bytes, ${SPANS.toLocaleString("en")} spans in traces of ${SPANS_PER_TRACE}, merged`, [
  { what: "a span", ...rowOf("otel_traces", SPANS) },
  { what: "its place in span_lookup", ...rowOf("span_lookup", SPANS) },
  { what: "a trace's summary", ...rowOf("trace_summary", SPANS / SPANS_PER_TRACE) },
]);

async function sendBatches(folder: string): Promise<void> {
  const server = await startLocalServer(folder);
  try {
    for (const { body } of await recordBatches(BATCHES)) await send(server.url, body);
  } finally {
    await server.stop();
  }
}

async function send(url: string, body: Uint8Array): Promise<void> {
  const response = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: new Uint8Array(body),
  });
  if (!response.ok) throw new Error(`The spans were not taken: ${response.status}`);
}

interface TableSize {
  readonly table: string;
  readonly rows: number;
  readonly raw: number;
  readonly columns: number;
  readonly indexes: number;
  readonly disk: number;
}

async function measure(database: Database): Promise<TableSize[]> {
  for (const table of ["otel_traces", "span_lookup", "trace_summary"]) {
    await database.write(`OPTIMIZE TABLE ${table} FINAL`);
  }
  return await database.read<TableSize>(`
    SELECT table, sum(rows) AS rows, sum(data_uncompressed_bytes) AS raw, sum(data_compressed_bytes) AS columns,
      sum(secondary_indices_compressed_bytes) AS indexes, sum(bytes_on_disk) AS disk
    FROM system.parts WHERE active AND database = 'agentops' GROUP BY table`);
}

function rowOf(table: string, count: number) {
  const size = sizes.find((each) => each.table === table);
  if (size?.rows !== count) throw new Error(`${table} has ${size?.rows} rows, not ${count}.`);
  const each = (bytes: number) => rounded(bytes / count, 0);
  return {
    raw: each(size.raw),
    "on disk": each(size.disk),
    columns: each(size.columns),
    indexes: each(size.indexes),
  };
}
