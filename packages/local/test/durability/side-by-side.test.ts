import { expect, test } from "vitest";
import { serve } from "../binary.js";
import { fetchToken, folderForTests, readAs } from "../harness.js";
import { createExporter, SPANS_PER_TRACE } from "./exporter.js";

const SECONDS = 60;
const WRITERS = 2;
const READERS = 8;

const folder = await folderForTests();

test("two writers and many readers get along for a minute: no error, and every answer is right", async () => {
  const server = await serve(folder);
  const token = await fetchToken(server.url);
  const exporter = createExporter();
  const acknowledged: string[] = [];
  const wrong: string[] = [];
  const endsAt = Date.now() + SECONDS * 1000;

  async function write(): Promise<void> {
    while (Date.now() < endsAt) {
      const response = await exporter.sendTrace(server.url);
      if (response?.status !== 200) wrong.push(`export: ${response?.status}`);
      acknowledged.splice(0, acknowledged.length, ...exporter.acknowledged);
    }
  }

  /** What is acknowledged before a read must be in its answer. */
  const reads = [
    async (stored: number) => {
      const { status, body } = await readAs(server.url, "/v4/traces?limit=5", token);
      return status === 200 && body.total >= stored && body.traces.length >= Math.min(5, stored);
    },
    async (stored: number) => {
      const id = acknowledged[Math.floor(Math.random() * stored)];
      const { status, body } = await readAs(server.url, `/v4/traces/${id}`, token);
      return status === 200 && body.spans.length === SPANS_PER_TRACE;
    },
    async (stored: number) => {
      const { status, body } = await readAs(server.url, "/v4/spans/metrics", token);
      return status === 200 && body.rows[0].count >= stored;
    },
    async () => {
      const { status, body } = await readAs(
        server.url,
        "/v4/spans/search?text=work&limit=3",
        token,
      );
      return status === 200 && body.spans.length === 3;
    },
  ];

  let readCount = 0;
  async function read(first: number): Promise<void> {
    for (let turn = first; Date.now() < endsAt; turn++) {
      const isRight = await reads[turn % reads.length]?.(acknowledged.length);
      if (!isRight) wrong.push(`read ${turn % reads.length}`);
      readCount += 1;
    }
  }

  await exporter.sendTrace(server.url);
  acknowledged.push(...exporter.acknowledged);
  await Promise.all([
    ...Array.from({ length: WRITERS }, write),
    ...Array.from({ length: READERS }, (_, reader) => read(reader)),
  ]);

  expect(wrong).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(SECONDS);
  expect(readCount).toBeGreaterThan(SECONDS * READERS);
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
}, 120_000);
