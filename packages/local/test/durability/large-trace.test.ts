import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { serve } from "../binary.js";
import { fetchToken, folderForTests, readAs } from "../harness.js";
import { exportOf, newTraceId, spanAt } from "../otlp-message.js";
import { sendExport } from "./exporter.js";

const SPANS = 50_000;
const SPANS_PER_EXPORT = 500;
const TEXT_BYTES = 2_000;
/** Of the server with its database engine, through taking such a trace in and giving it out. */
const MAX_RSS_MB = 1_500;

const folder = await folderForTests();

test("a trace of 50,000 spans and 100 MB goes in and comes out in bounded memory", async () => {
  const server = await serve(folder);
  const traceId = newTraceId();
  const prompt = { key: "gen_ai.prompt.0.content", value: { stringValue: "x".repeat(TEXT_BYTES) } };
  for (let first = 0; first < SPANS; first += SPANS_PER_EXPORT) {
    const spans = Array.from({ length: SPANS_PER_EXPORT }, (_, n) =>
      spanAt(first + n, 1, { traceId, attributes: [prompt] }),
    );
    expect((await sendExport(server.url, exportOf(...spans))).status).toBe(200);
  }
  const token = await fetchToken(server.url);
  const headers = { authorization: `Bearer ${token}` };

  const detail = await fetch(`${server.url}/v4/traces/${traceId}`, { headers });
  const bytes = (await detail.arrayBuffer()).byteLength;
  expect(bytes).toBeGreaterThan(SPANS * TEXT_BYTES);
  const list = await readAs(server.url, "/v4/traces", token);
  expect(list.body.traces[0].span_count).toBe(SPANS);

  const status = await readFile(`/proc/${server.child.pid}/status`, "utf8").catch(() => "");
  const peakRssMb = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  expect(peakRssMb).toBeLessThan(MAX_RSS_MB);
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
}, 120_000);
