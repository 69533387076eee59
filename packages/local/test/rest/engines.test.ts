import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runProjects } from "../../src/projects.js";
import { defaultProject } from "../../src/store/index.js";
import { copyToAgentops } from "../agentops-database.js";
import { type ClickHouseFront, clickHouseUser, startClickHouseFront } from "../clickhouse-front.js";
import {
  answer,
  defaultProjectId,
  fetchToken,
  readAs,
  startTestServer,
  type TestServer,
} from "../harness.js";
import { exportOf, START_UNIX_NANO, spanAt, text, toProtobuf } from "../otlp-message.js";

// agent 1 s ─ llm gpt-4o, 12 tokens, "it's \ a\ttab"
//          └─ tool search, failed
const traceId = "a".repeat(32);
const [agent, llm, tool] = ["a1", "a2", "a3"].map((id) => id.padEnd(16, "0")) as [
  string,
  string,
  string,
];
const prompt = "it's \\ a\ttab";
const message = exportOf(
  spanAt(0, 1000, { traceId, spanId: agent, name: "plan.agent", status: { code: 1 } }),
  spanAt(10, 200, {
    traceId,
    spanId: llm,
    parentSpanId: agent,
    attributes: [
      text("gen_ai.request.model", "gpt-4o"),
      text("gen_ai.usage.total_tokens", "12"),
      text("gen_ai.prompt.0.content", prompt),
    ],
  }),
  spanAt(300, 50, {
    traceId,
    spanId: tool,
    parentSpanId: agent,
    name: "search.tool",
    status: { code: 2, message: "no such page" },
  }),
);

async function send({ url }: TestServer) {
  return await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: toProtobuf(message),
  });
}

const kinds = ["embedded", "server", "cluster", "read-only"] as const;

describe.each(kinds)("traces in ClickHouse, %s", (kind) => {
  let front: ClickHouseFront | undefined;
  let server: TestServer;
  beforeAll(async () => {
    if (kind !== "embedded") front = await startClickHouseFront();
    const start = async (fields = {}) =>
      await startTestServer(undefined, {
        clickHouse: front && {
          ...clickHouseUser,
          url: front.url,
          database: "agentops",
          ...fields,
        },
      });
    server = await start(kind === "cluster" ? { cluster: "one" } : {});
    expect((await send(server)).status).toBe(200);
    if (front && kind === "read-only") {
      await server.close();
      copyToAgentops(front);
      server = await start({ database: "otel_2", readOnly: { projects: [defaultProject] } });
    }
  });
  afterAll(async () => {
    await server.close();
    await front?.close();
  });

  test("are listed, and count once however often they are sent", async () => {
    expect((await send(server)).status).toBe(kind === "read-only" ? 403 : 200);
    const { body } = await server.read("/v4/traces");
    expect(body).toMatchObject({ total: 1, metrics: { span_count: 3, total_tokens: 12 } });
    expect(body.traces).toMatchObject([{ trace_id: traceId, span_count: 3, error_count: 1 }]);
  });

  test("are read by trace and by span", async () => {
    const { body } = await server.read(`/v4/traces/${traceId}`);
    expect(body.spans.map((span: { span_id: string }) => span.span_id)).toEqual([agent, llm, tool]);
    expect((await server.read(`/public/v1/spans/${llm}`)).body).toMatchObject({ span_id: llm });
    expect((await server.read(`/v4/traces/${"f".repeat(32)}`)).status).toBe(404);
  });

  test("are exported, all of them and those of a time", async () => {
    const authorization = `Bearer ${await fetchToken(server.url)}`;
    for (const query of ["", `?start_time_unix_nano=${START_UNIX_NANO}`]) {
      const page = await server.get(`/v1/traces${query}`, { authorization });
      expect(page.headers.get("x-agentops-span-count")).toBe("3");
      const lines = await page.text();
      for (const id of [agent, llm, tool]) expect(lines).toContain(`"spanId":"${id}"`);
    }
    const later = `?start_time_unix_nano=${START_UNIX_NANO + 3_600_000_000_000n}`;
    expect(await (await server.get(`/v1/traces${later}`, { authorization })).text()).toBe("");
  });

  test("are found by text and figures, quotes and backslashes as they are", async () => {
    const found = async (query: string) =>
      (await server.read(`/v4/spans/search?${query}`)).body.spans.map(
        (span: { span_id: string }) => span.span_id,
      );
    expect(await found(`text=${encodeURIComponent(prompt)}`)).toEqual([llm]);
    expect(await found(`text=${encodeURIComponent("it's \\\\ a")}`)).toEqual([]);
    expect(await found("kind=tool&status=error")).toEqual([tool]);
    expect(await found(`trace_id=${traceId}&limit=2`)).toEqual([tool, llm]);
  });

  test.each([
    ["model", [{ key: "gpt-4o", count: 1, total_tokens: 12 }]],
    ["tool", [{ key: "search", count: 1, error_count: 1 }]],
    ["status", [{ key: "failed", count: 1 }]],
  ])("are added up by %s", async (group, rows) => {
    const { body } = await server.read(`/v4/spans/metrics?group_by=${group}`);
    expect(body.rows).toMatchObject(rows);
  });

  test("are added up by project", async () => {
    const { body } = await server.read(`/v4/meterics/project/${defaultProjectId}`);
    expect(body).toMatchObject({ trace_count: 1, span_count: { total: 3, success: 1, fail: 1 } });
  });

  test.skipIf(kind === "read-only")("belong to projects, whose keys can be changed", async () => {
    const { dataDir } = server;
    const key = async (line: Promise<string>) => (await line).trim().split(/\s+/).at(-1) ?? "";
    const first = await key(runProjects({ kind: "create", name: "shop" }, { dataDir }));
    const token = await fetchToken(server.url, first);
    expect((await readAs(server.url, "/v4/traces", token)).body.total).toBe(0);
    const second = await key(runProjects({ kind: "rotate-key", project: "shop" }, { dataDir }));
    expect(await fetchToken(server.url, first)).toBeUndefined();
    expect(await fetchToken(server.url, second)).toEqual(expect.any(String));
  });

  test.skipIf(kind === "read-only")("have logs, as long as they may be", async () => {
    const log = "ü".repeat(200_000);
    const uploaded = await fetch(`${server.url}/v4/logs/upload/`, {
      method: "POST",
      headers: { "trace-id": String(BigInt(`0x${traceId}`)) },
      body: log,
    });
    expect(uploaded.status).toBe(200);
    expect((await server.read(`/v4/logs/${traceId}`)).body.content).toBe(log);
  });

  test("/health says which, and no more of where it is", async () => {
    const { body } = await answer(await server.get("/health"));
    expect(body.database).toEqual({ kind, version: expect.stringMatching(/^\d+\./) });
  });

  test("nothing failed that nobody was told of", () => {
    expect(server.errors).toEqual([]);
  });
});

async function startOverFront() {
  const front = await startClickHouseFront();
  const clickHouse = { ...clickHouseUser, url: front.url, database: "agentops" };
  const server = await startTestServer(undefined, { clickHouse });
  return { front, server };
}

test("a read that takes more memory than the database may use is a 413 that says what to do", async () => {
  const { front, server } = await startOverFront();
  const authorization = `Bearer ${await fetchToken(server.url)}`;
  expect((await send(server)).status).toBe(200);

  front.faults.push("starve");
  const response = await server.get("/v4/spans/search?text=no+such", { authorization });
  expect(await answer(response)).toEqual({
    status: 413,
    body: {
      detail:
        "This takes more memory than the database may use, or has free now. Ask for less: a shorter time, fewer traces, or a longer text.",
    },
  });
  await server.close();
  await front.close();
});

test("a trace without attributes is read without them", async () => {
  const { front, server } = await startOverFront();
  expect((await send(server)).status).toBe(200);
  const [{ trace_id }] = (await server.read("/v4/traces")).body.traces;

  front.statements.length = 0;
  expect((await server.read(`/public/v1/traces/${trace_id}`)).status).toBe(200);
  expect(front.statements.join()).toContain("SpanName");
  expect(front.statements.join()).not.toContain("SpanAttributes");
  await server.close();
  await front.close();
});

test("/health is a 503 while the database is away", async () => {
  const { front, server } = await startOverFront();
  expect((await server.get("/health")).status).toBe(200);

  await front.close();
  expect(await answer(await server.get("/health"))).toEqual({
    status: 503,
    body: { message: "The database does not answer.", instance: expect.any(String) },
  });
  await server.close();
});
