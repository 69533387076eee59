import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultProject, openStore, type Store } from "../../src/store/index.js";
import { encodeSpans } from "../../src/store/row-binary.js";
import { openServerDatabase } from "../../src/store/server-database.js";
import { type ClickHouseFront, clickHouseUser, startClickHouseFront } from "../clickhouse-front.js";
import { collect, temporaryFolder } from "../harness.js";
import { newSpanId, newTraceId, START_UNIX_NANO } from "../otlp-message.js";

const project = defaultProject.id;
let front: ClickHouseFront;
let dataDir: string;
/** Of two processes: all that they share is the server. */
let stores: [Store, Store];

const server = (fields = {}) => ({
  dataDir,
  clickHouse: { ...clickHouseUser, url: front.url, database: "agentops", ...fields },
});

beforeAll(async () => {
  front = await startClickHouseFront();
  dataDir = await temporaryFolder();
  stores = await Promise.all([openStore(server()), openStore(server())]);
});
afterAll(async () => {
  await Promise.all(stores.map((store) => store.close()));
  await front.close();
  await rm(dataDir, { recursive: true });
});

function newTrace(spanCount = 3) {
  const traceId = newTraceId();
  const spans = Array.from({ length: spanCount }, (_, index) => ({
    traceId,
    spanId: newSpanId(),
    parentSpanId: "",
    traceState: "",
    name: "work",
    kind: "Internal" as const,
    startUnixNano: START_UNIX_NANO + BigInt(index),
    durationNano: 1_000_000n,
    status: "Ok" as const,
    statusMessage: "",
    attributes: [["gen_ai.usage.total_tokens", "10"]] as const,
    events: [],
    links: [],
  }));
  const resource = { serviceName: "agentops", attributes: [] };
  const groups = [{ resource, scope: { name: "", version: "" }, spans }];
  return { traceId, spans, groups };
}

async function figures(traceId: string) {
  const [store] = stores;
  const trace = await store.trace(project, traceId);
  if (!trace) return undefined;
  const spans = await collect(store.traceSpans(project, traceId));
  const found = await Promise.all(spans.map(({ spanId }) => store.span(project, spanId)));
  return {
    summary: trace.spanCount,
    stored: spans.length,
    located: found.filter(Boolean).length,
    tokens: trace.totalTokens,
  };
}

const once = { summary: 3, stored: 3, located: 3, tokens: 30 };

describe("a span that two processes are sent counts once", () => {
  test("one after the other", async () => {
    const { traceId, groups } = newTrace();
    for (const store of stores) await store.addSpans(project, groups);
    expect(await figures(traceId)).toEqual(once);
  });

  test("at the same instant, in the same export", async () => {
    const traces = Array.from({ length: 5 }, () => newTrace());
    for (const { traceId, groups } of traces) {
      await Promise.all(stores.map((store) => store.addSpans(project, groups)));
      expect(await figures(traceId)).toEqual(once);
    }
  });
});

describe("an insert that fails is repeated, and no row counts twice", () => {
  test("where its answer was lost", async () => {
    const { traceId, groups } = newTrace();
    const before = front.statements.length;
    front.faults.push("none", "lose");
    await stores[0].addSpans(project, groups);
    const inserts = front.statements
      .slice(before)
      .filter((sql) => sql.startsWith("INSERT INTO otel_traces"));
    expect(inserts).toHaveLength(2);
    expect(await figures(traceId)).toEqual(once);
  });

  test("where there was no memory for it", async () => {
    const { traceId, groups } = newTrace();
    front.faults.push("none", "starve");
    await stores[0].addSpans(project, groups);
    expect(front.faults).toEqual([]);
    expect(await figures(traceId)).toEqual(once);
  });

  test("where some of the tables had taken it", async () => {
    const { traceId, groups } = newTrace();
    front.ask("ALTER TABLE agentops.trace_summary ADD CONSTRAINT broken CHECK 0");
    const before = front.statements.length;
    front.faults.push("none", "pass");
    const added = stores[0].addSpans(project, groups);
    await expect.poll(() => front.statements.length).toBe(before + 2);
    const stored = `SELECT count() AS count FROM agentops.otel_traces WHERE TraceId = '${traceId}'`;
    await expect.poll(() => front.ask(stored)).toEqual([{ count: 3 }]);
    front.ask("ALTER TABLE agentops.trace_summary DROP CONSTRAINT broken");
    await added;
    expect(await figures(traceId)).toEqual(once);
  });
});

test("an insert whose tries all take too long is given up, and its spans count once when they are sent again", async () => {
  const { traceId, groups } = newTrace();
  const database = await openServerDatabase(server().clickHouse, 1_000);
  const intake = await database.openIntake();
  const staged = await intake.stage(encodeSpans(project, groups));
  front.faults.push("pass", "stall");
  await expect(staged.insert()).rejects.toMatchObject({ name: "AbortError" });
  await database.close();
  await stores[0].addSpans(project, groups);
  expect(await figures(traceId)).toEqual(once);
});

test("an insert that is refused for good is not repeated", async () => {
  const { traceId, groups } = newTrace();
  const before = front.statements.length;
  front.ask("RENAME TABLE agentops.span_lookup TO agentops.elsewhere");
  await expect(stores[0].addSpans(project, groups)).rejects.toThrow();
  front.ask("RENAME TABLE agentops.elsewhere TO agentops.span_lookup");
  const inserts = front.statements
    .slice(before)
    .filter((sql) => sql.startsWith("INSERT INTO otel_traces"));
  expect(inserts).toHaveLength(1);
  await stores[0].addSpans(project, groups);
  expect(await figures(traceId)).toEqual(once);
});

test("a batch of more ids than a URL holds is looked up", async () => {
  const { traceId, groups } = newTrace(3000);
  for (const store of stores) await store.addSpans(project, groups);
  expect((await stores[0].trace(project, traceId))?.spanCount).toBe(3000);
});

test("processes that start at once have one default project", async () => {
  expect(await stores[0].projects.list()).toMatchObject([{ id: project }]);
});

test("what expired is removed, from all tables", async () => {
  const { traceId, groups, spans } = newTrace();
  await stores[0].addSpans(project, groups);
  await stores[1].removeExpired(START_UNIX_NANO + 1_000_000n);
  expect(await stores[0].trace(project, traceId)).toBeUndefined();
  expect(await stores[0].span(project, spans[0]?.spanId ?? "")).toBeUndefined();
});

describe("a server that cannot be used is named, without its password", () => {
  let answer: { status: number; body: string } | undefined;
  const other = createServer((_, response) => {
    if (answer) response.writeHead(answer.status).end(answer.body);
  });
  beforeAll(() => new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve)));
  afterAll(() => other.close());

  test.each([
    { status: 404, body: "<html>Hello</html>" },
    { status: 200, body: "<html>Hello</html>" },
    { status: 200, body: "{}" },
    { status: 200, body: "" },
  ])("another program, which answers $status $body", async (given) => {
    answer = given;
    const { port } = other.address() as AddressInfo;
    await expect(openStore(server({ url: `http://127.0.0.1:${port}` }))).rejects.toThrow(
      `ClickHouse at http://127.0.0.1:${port} does not answer as ClickHouse does.`,
    );
  });

  test("one that accepts, and says nothing", { timeout: 30_000 }, async () => {
    answer = undefined;
    const { port } = other.address() as AddressInfo;
    await expect(openStore(server({ url: `http://127.0.0.1:${port}` }))).rejects.toThrow(
      `ClickHouse at http://127.0.0.1:${port} does not answer within 10 s.`,
    );
  });

  test.each([
    ["another password", { password: "wrong one" }, /refuses \(AUTHENTICATION_FAILED\)/],
    ["nobody there", { url: "http://127.0.0.1:1" }, /127\.0\.0\.1:1 does not answer/],
  ])("%s", async (_name, fields, reason) => {
    const error = await openStore(server(fields)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "StartError", message: expect.stringMatching(reason) });
    expect(String(error)).not.toContain("wrong one");
    expect(String(error)).not.toContain(clickHouseUser.password);
  });
});
