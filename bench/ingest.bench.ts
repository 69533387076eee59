/** OTLP ingest: spans of model calls in protobuf, from concurrent exporters in a process of their own. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { decodeProtobuf } from "../packages/local/src/otlp/protobuf.js";
import { openDatabase } from "../packages/local/src/store/database.js";
import { defaultProject, openStore } from "../packages/local/src/store/index.js";
import { byteLength, encodeSpans } from "../packages/local/src/store/row-binary.js";
import { createReader, startLocalServer, withFolder } from "./local-server.js";
import { recordBatches } from "./otlp-batches.js";
import type { LoadReport } from "./otlp-load.js";
import { printTable, rounded } from "./report.js";

const LOAD = fileURLToPath(new URL("./otlp-load.ts", import.meta.url));
const BURST_SECONDS = 15;
/** Past the first merges, which build the text index. */
const SUSTAINED_SECONDS = 60;

/** As large as the batches that the server makes under load. */
const EXPORTS_PER_INSERT = 16;
const INSERTS = 20;

const loads = [
  { exporters: 1, seconds: BURST_SECONDS },
  { exporters: 8, seconds: BURST_SECONDS },
  { exporters: 32, seconds: BURST_SECONDS },
  { exporters: 32, seconds: SUSTAINED_SECONDS },
];

const rows = [];
for (const load of loads) rows.push(await withFolder((folder) => ingest(folder, load)));
rows.push(await withFolder(insertAlone));
printTable("Ingest, goal 20,000 spans/s", rows);

interface Load {
  readonly exporters: number;
  readonly seconds: number;
}

async function ingest(folder: string, wanted: Load) {
  const server = await startLocalServer(folder);
  try {
    const cpuBefore = await server.cpuSeconds();
    const sent = await load(server.url, wanted);
    const { spans, bytes, seconds, refusals } = sent;
    const cpuSeconds = (await server.cpuSeconds()) - cpuBefore;
    const stored = await storedSpanCount(server.url);
    if (stored !== spans) throw new Error(`${spans} spans acknowledged, ${stored} stored.`);
    return {
      "exporters at once": wanted.exporters,
      "for s": wanted.seconds,
      "spans/s": Math.round(spans / seconds),
      "MB/s": rounded(bytes / seconds / 1e6),
      "KB/span": rounded(bytes / spans / 1e3),
      spans,
      refusals,
      "peak RSS MB": Math.round(await server.peakRssMb()),
      "server CPU µs/span": rounded((cpuSeconds * 1e6) / spans),
      "exporters' CPU µs/span": rounded((sent.cpuSeconds * 1e6) / spans),
    };
  } finally {
    await server.stop();
  }
}

async function load(url: string, { exporters, seconds }: Load): Promise<LoadReport> {
  const child = fork(LOAD, [url, String(exporters), String(seconds)]);
  const [message] = await Promise.race([once(child, "message"), once(child, "exit")]);
  if (typeof message !== "object") throw new Error("The exporters failed.");
  return message;
}

async function storedSpanCount(url: string): Promise<number> {
  const read = await createReader(url);
  const list = (await read("/v4/traces?limit=1")) as { metrics: { span_count: number } };
  return list.metrics.span_count;
}

/** The floor: the same rows, decoded and encoded beforehand, into the engine of this process. */
async function insertAlone(folder: string) {
  await (await openStore({ dataDir: folder })).close();
  const database = await openDatabase({ dataDir: folder });
  const intake = await database.openIntake();
  const batches = await recordBatches(EXPORTS_PER_INSERT);
  const total = { spans: 0, bytes: 0, seconds: 0, cpuSeconds: 0 };
  for (let insert = 0; insert < INSERTS; insert++) {
    const spans = batches.flatMap((batch, index) => {
      batch.renew(insert * EXPORTS_PER_INSERT + index);
      return encodeSpans(defaultProject.id, decodeProtobuf(batch.body).groups);
    });
    const startedAt = performance.now();
    const cpuBefore = process.cpuUsage();
    await (await intake.stage(spans)).insert();
    const { user, system } = process.cpuUsage(cpuBefore);
    total.seconds += (performance.now() - startedAt) / 1000;
    total.cpuSeconds += (user + system) / 1e6;
    total.spans += spans.length;
    total.bytes += byteLength(spans);
  }
  await database.close();
  return {
    "exporters at once": "the engine alone",
    "spans/s": Math.round(total.spans / total.seconds),
    "MB/s": rounded(total.bytes / total.seconds / 1e6),
    "KB/span": rounded(total.bytes / total.spans / 1e3),
    spans: total.spans,
    "server CPU µs/span": rounded((total.cpuSeconds * 1e6) / total.spans),
  };
}
