import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { serve } from "../binary.js";
import { fetchToken, folderForTests, readAs } from "../harness.js";
import { exportOf, newTraceId, spanAt } from "../otlp-message.js";
import { sendExport } from "./exporter.js";

const SPANS = 50_000;
const SPANS_PER_EXPORT = 500;
const TEXT_BYTES = 2_000;
const READERS = 4;
/** Of the server with its database engine, through taking such a trace in and giving it to all readers at once. */
const MAX_RSS_MB = 1_000;

/** Any stretch of it is text that the database cannot compress. */
const randomText = randomBytes(1024 * 1024).toString("base64");
const textOf = (span: number) => {
  const start = (span * 7_919) % (randomText.length - TEXT_BYTES);
  return randomText.slice(start, start + TEXT_BYTES);
};

const folder = await folderForTests();

test("a trace of 50,000 spans and 100 MB goes in and comes out in bounded memory, to several at once, and a list meanwhile", async () => {
  const server = await serve(folder);
  const traceId = newTraceId();
  const prompt = (span: number) => ({
    key: "gen_ai.prompt.0.content",
    value: { stringValue: textOf(span) },
  });
  for (let first = 0; first < SPANS; first += SPANS_PER_EXPORT) {
    const spans = Array.from({ length: SPANS_PER_EXPORT }, (_, n) =>
      spanAt(first + n, 1, { traceId, attributes: [prompt(first + n)] }),
    );
    expect((await sendExport(server.url, exportOf(...spans))).status).toBe(200);
  }
  const token = await fetchToken(server.url);
  const headers = { authorization: `Bearer ${token}` };

  const readDetail = async () => {
    const detail = await fetch(`${server.url}/v4/traces/${traceId}`, { headers });
    return (await detail.arrayBuffer()).byteLength;
  };
  const finished: string[] = [];
  const details = Array.from({ length: READERS }, readDetail);
  for (const detail of details) detail.then(() => finished.push("detail"));
  const list = await readAs(server.url, "/v4/traces", token);
  expect(list.body.traces[0].span_count).toBe(SPANS);
  expect(finished).toEqual([]);
  for (const bytes of await Promise.all(details)) {
    expect(bytes).toBeGreaterThan(SPANS * TEXT_BYTES);
  }
  const heads = await readAs(server.url, `/public/v1/traces/${traceId}`, token);
  expect(new Set(heads.body.spans.map((span: { span_id: string }) => span.span_id)).size).toBe(
    SPANS,
  );

  expect(await peakRssMb(server.child.pid)).toBeLessThan(MAX_RSS_MB);
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
}, 120_000);

/** 0 where the system does not tell; Linux does. */
async function peakRssMb(pid: number | undefined): Promise<number> {
  if (process.platform !== "linux") return 0;
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}
