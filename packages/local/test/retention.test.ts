import { rm } from "node:fs/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startServer } from "../src/server.js";
import { type Database, openDatabase } from "../src/store/database.js";
import { removals, removeExpired } from "../src/store/expiry.js";
import { answer, fetchToken, readAs, temporaryFolder } from "./harness.js";
import { exportOf, newTraceId, START_UNIX_NANO, spanAt, toJson } from "./otlp-message.js";

const DAY_MS = 24 * 3_600_000;
const nowMs = Date.now() - Number(START_UNIX_NANO / 1_000_000n);
const errors: unknown[] = [];
let warnings: string[];

let dataDir: string;
beforeEach(async () => {
  dataDir = await temporaryFolder();
  warnings = [];
});
afterEach(async () => {
  await rm(dataDir, { recursive: true });
  expect(errors).toEqual([]);
});

async function start(retentionMs?: number) {
  const server = await startServer({
    host: "127.0.0.1",
    port: 0,
    dataDir,
    retentionMs,
    onError: (error) => errors.push(error),
    onWarning: (message) => warnings.push(message),
  });
  const token = await fetchToken(server.url);
  const post = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
    await answer(
      await fetch(server.url + path, {
        method: "POST",
        body,
        headers: { authorization: `Bearer ${token}`, ...headers },
      }),
    );
  return {
    ...server,
    get: (path: string) => readAs(server.url, path, token),
    uploadLog: (traceId: string) =>
      post("/v4/logs/upload/", "log", { "trace-id": String(BigInt(`0x${traceId}`)) }),
    send: (...spans: Parameters<typeof exportOf>) =>
      post("/v1/traces", toJson(exportOf(...spans)), { "content-type": "application/json" }),
  };
}

/** Rows on disk, whether marked as deleted or not, by table. */
async function rowsOnDisk(database: Database) {
  const tables = await database.read<{ table: string; rows: number }>(
    "SELECT table, sum(rows) AS rows FROM system.parts WHERE active AND database = 'agentops' AND table IN ('otel_traces', 'uploads') GROUP BY table HAVING rows > 0",
  );
  return Object.fromEntries(tables.map(({ table, rows }) => [table, rows]));
}

/** Rows that reads see, by table. */
async function rowsSeen(database: Database) {
  const tables = ["otel_traces", "span_lookup", "trace_summary", "uploads"];
  const counts = tables.map((table) => `(SELECT count() FROM ${table}) AS ${table}`);
  return (await database.read<Record<string, number>>(`SELECT ${counts.join(", ")}`))[0];
}

async function withDatabase(run: (database: Database) => Promise<void>) {
  const database = await openDatabase({ dataDir });
  try {
    await run(database);
  } finally {
    await database.close();
  }
}

/** Takes so many more statements, and then none. */
function failingAfter(statements: number, database: Database): Database {
  let done = 0;
  return {
    ...database,
    async write(...statement) {
      if (done++ === statements) throw new Error("cut short");
      await database.write(...statement);
    },
  };
}

test("traces past their time go whole, from every answer and from the disk; the others stay whole", async () => {
  const [old, long, fresh] = [newTraceId(), newTraceId(), newTraceId()] as const;
  const all = await start();
  await all.send(
    spanAt(nowMs - 40 * DAY_MS, 10, { traceId: old }),
    spanAt(nowMs - 31 * DAY_MS, 10, { traceId: old, spanId: "0ddba11000000001" }),
    spanAt(nowMs - 31 * DAY_MS, 10, { traceId: long }),
    spanAt(nowMs - 29 * DAY_MS, 10, { traceId: long }),
    spanAt(nowMs, 10, { traceId: fresh }),
  );
  await all.uploadLog(fresh);
  expect((await all.get("/v4/traces")).body).toMatchObject({
    total: 3,
    metrics: { span_count: 5 },
  });
  await all.close();

  const kept = await start(30 * DAY_MS);
  await vi.waitUntil(async () => (await kept.get("/v4/traces")).body.total === 2, 10_000);
  const { body } = await kept.get("/v4/traces");
  expect(body.metrics.span_count).toBe(3);
  expect(body.traces).toMatchObject([
    { trace_id: fresh, span_count: 1 },
    { trace_id: long, span_count: 2 },
  ]);
  expect((await kept.get(`/v4/traces/${long}`)).body.spans).toHaveLength(2);
  expect((await kept.get(`/v4/traces/${old}`)).status).toBe(404);
  expect((await kept.get("/public/v1/spans/0ddba11000000001")).status).toBe(404);
  expect((await kept.get("/v4/spans/search")).body.spans).toHaveLength(3);
  expect((await kept.get(`/v4/logs/${fresh}`)).status).toBe(200);

  // What comes late for a trace that went is a trace of its own age.
  await kept.send(spanAt(nowMs, 10, { traceId: old }));
  expect((await kept.get(`/v4/traces/${old}`)).body.spans).toHaveLength(1);
  await kept.close();
});

test("what is removed leaves the disk, and exports during a sweep are all stored", async () => {
  const before = await start();
  const late = newTraceId();
  await before.send(
    ...Array.from({ length: 500 }, () =>
      spanAt(nowMs - 50 * DAY_MS, 10, { traceId: newTraceId() }),
    ),
  );
  await before.uploadLog(late);
  await before.close();
  await withDatabase((database) =>
    database.write(
      "INSERT INTO uploads SELECT * REPLACE ('old' AS id, now64() - INTERVAL 2 DAY AS uploaded_at) FROM uploads",
    ),
  );

  const kept = await start(DAY_MS);
  await Promise.all(
    [1, 2, 3].map((delayMs) => kept.send(spanAt(nowMs + delayMs, 10, { traceId: late }))),
  );
  await vi.waitUntil(async () => (await kept.get("/v4/traces")).body.total === 1, 10_000);
  expect((await kept.get(`/v4/traces/${late}`)).body.spans).toHaveLength(3);
  expect((await kept.get(`/v4/logs/${late}`)).status).toBe(200);
  await kept.close();
  expect(warnings).toEqual(["Removed 500 traces and 1 upload: older than --retention."]);
  await withDatabase(async (database) => {
    await expect
      .poll(() => rowsOnDisk(database), { timeout: 10_000 })
      .toEqual({ otel_traces: 3, uploads: 1 });
  });
});

const statementCount = removals({ kind: "embedded" }, 0n).length;

test.each(Array.from({ length: statementCount }, (_, done) => done))(
  "a removal that is cut short after %d statements is done by the next",
  async (done) => {
    const server = await start();
    await server.send(
      spanAt(nowMs, 10, { traceId: newTraceId() }),
      spanAt(nowMs + 2 * DAY_MS, 10, { traceId: newTraceId() }),
    );
    await server.uploadLog(newTraceId());
    await server.close();

    await withDatabase(async (database) => {
      const tomorrow = BigInt(Date.now() + DAY_MS) * 1_000_000n;
      await expect(removeExpired(failingAfter(done, database), tomorrow)).rejects.toThrow("cut");
      await removeExpired(database, tomorrow);
      const left = { otel_traces: 1, span_lookup: 1, trace_summary: 1, uploads: 0 };
      await expect.poll(() => rowsSeen(database), { timeout: 10_000 }).toEqual(left);
      await expect
        .poll(() => rowsOnDisk(database), { timeout: 10_000 })
        .toEqual({ otel_traces: 1 });
    });
  },
);

test("where nothing is that old, no part is rewritten", async () => {
  const server = await start();
  await server.send(spanAt(nowMs, 1, { traceId: newTraceId() }));
  await server.close();
  await withDatabase(async (database) => {
    const parts = () =>
      database.read(
        "SELECT table, name FROM system.parts WHERE active AND database = 'agentops' ORDER BY ALL",
      );
    const before = await parts();
    await removeExpired(database, BigInt(Date.now() - DAY_MS) * 1_000_000n);
    expect(await parts()).toEqual(before);
    await removeExpired(database, BigInt(Date.now() + DAY_MS) * 1_000_000n);
    expect(await parts()).not.toEqual(before);
  });
});
