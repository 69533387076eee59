/** OTLP ingest: spans of model calls in protobuf, from concurrent exporters in a process of their own. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createReader, startLocalServer, withFolder } from "./local-server.js";
import type { LoadReport } from "./otlp-load.js";
import { printTable, rounded } from "./report.js";

const LOAD = fileURLToPath(new URL("./otlp-load.ts", import.meta.url));
const SECONDS = 15;

const rows = [];
for (const exporters of [1, 8, 32])
  rows.push(await withFolder((folder) => ingest(folder, exporters)));
printTable(`Ingest for ${SECONDS} s, goal 20,000 spans/s`, rows);

async function ingest(folder: string, exporters: number) {
  const server = await startLocalServer(folder);
  try {
    const cpuBefore = await server.cpuSeconds();
    const sent = await load(server.url, exporters);
    const { spans, bytes, seconds, refusals } = sent;
    const cpuSeconds = (await server.cpuSeconds()) - cpuBefore;
    const stored = await storedSpanCount(server.url);
    if (stored !== spans) throw new Error(`${spans} spans acknowledged, ${stored} stored.`);
    return {
      exporters,
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

async function load(url: string, exporters: number): Promise<LoadReport> {
  const child = fork(LOAD, [url, String(exporters), String(SECONDS)]);
  const [message] = await Promise.race([once(child, "message"), once(child, "exit")]);
  if (typeof message !== "object") throw new Error("The exporters failed.");
  return message;
}

async function storedSpanCount(url: string): Promise<number> {
  const read = await createReader(url);
  const list = (await read("/v4/traces?limit=1")) as { metrics: { span_count: number } };
  return list.metrics.span_count;
}
