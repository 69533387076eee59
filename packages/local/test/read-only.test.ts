import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { runProjects } from "../src/projects.js";
import { defaultProject } from "../src/store/index.js";
import { copyToAgentops } from "./agentops-database.js";
import { type ClickHouseFront, clickHouseUser, startClickHouseFront } from "./clickhouse-front.js";
import { postJson, readAs, startTestServer, type TestServer } from "./harness.js";
import { exportOf, newTraceId, spanAt, toJson } from "./otlp-message.js";

const other = {
  id: "11111111-1111-4111-8111-111111111111",
  name: "other",
  environment: "production",
  apiKey: "22222222-2222-4222-8222-222222222222",
};
const traceId = newTraceId();

let front: ClickHouseFront;
let server: TestServer;
const clickHouse = (fields = {}) => ({
  ...clickHouseUser,
  url: front.url,
  database: "agentops",
  ...fields,
});
const readOnly = { database: "otel_2", readOnly: { projects: [defaultProject, other] } };

beforeAll(async () => {
  front = await startClickHouseFront();
  const writer = await startTestServer(undefined, { clickHouse: clickHouse() });
  await fetch(`${writer.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: toJson(exportOf(spanAt(0, 10, { traceId }))),
  });
  await writer.close();
  copyToAgentops(front);
  front.ask("DROP DATABASE agentops");
  front.statements.length = 0;
  server = await startTestServer(undefined, { clickHouse: clickHouse(readOnly) });
});
afterAll(async () => {
  await server.close();
  await front.close();
});

test("each project that is named is read with its key, and sees its own traces", async () => {
  expect((await server.read("/v4/traces")).body).toMatchObject({ total: 1 });
  const { body } = await postJson(`${server.url}/v3/auth/token`, { api_key: other.apiKey });
  expect(body.project_id).toBe(other.id);
  expect((await readAs(server.url, "/v4/traces", body.token)).body).toMatchObject({ total: 0 });
  const foreign = await readAs(server.url, `/v4/traces/${traceId}`, body.token);
  expect(foreign.status).toBe(404);
});

test("on loopback too, nothing is read without a key", async () => {
  expect((await server.get(`/public/v1/traces/${traceId}`)).status).toBe(400);
  const client = new Client({ name: "test", version: "1.0.0" });
  onTestFinished(() => client.close());
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
  const { content } = await client.callTool({ name: "list_traces", arguments: {} });
  expect(JSON.stringify(content)).not.toContain(traceId);
  expect(JSON.stringify(content)).toMatch(/api_key/);
});

test.each(["/v1/traces", "/v4/logs/upload/", "/v4/objects/upload/", "/opsboard/projects"])(
  "%s is refused, with where to send to",
  async (path) => {
    expect(await postJson(server.url + path, {})).toEqual({
      status: 403,
      body: { detail: expect.stringContaining("--read-only") },
    });
  },
);

test("the projects in it are listed by the command that lists projects", async () => {
  const { dataDir } = server;
  expect(await runProjects({ kind: "list" }, { dataDir })).toContain(other.apiKey);
  const created = runProjects({ kind: "create", name: "new" }, { dataDir });
  await expect(created).rejects.toThrow(/403: .*--read-only/);
});

test("nothing but queries reaches the server, and it is told to take nothing else", () => {
  expect(front.statements.length).toBeGreaterThan(0);
  expect(front.statements.filter((sql) => !/^\s*(SELECT|WITH)\b/.test(sql))).toEqual([]);
  expect(front.ask("SELECT name FROM system.tables WHERE database = 'otel_2'")).toEqual([
    { name: "otel_traces" },
  ]);
});

test("no key reaches the server, which logs what it is asked", () => {
  const log = front.statements.join("\n");
  expect(log).toContain("otel_traces");
  for (const { apiKey } of [defaultProject, other]) expect(log).not.toContain(apiKey);
});

test("without --read-only AgentOps' database is refused, and left as it is", async () => {
  const started = startTestServer(undefined, { clickHouse: clickHouse({ database: "otel_2" }) });
  await expect(started).rejects.toThrow(/Read it with --read-only/);
  expect(front.ask("SELECT name FROM system.tables WHERE database = 'otel_2'")).toEqual([
    { name: "otel_traces" },
  ]);
});

test("a database that is not there is not made", async () => {
  const started = startTestServer(undefined, {
    clickHouse: clickHouse({ ...readOnly, database: "nowhere" }),
  });
  await expect(started).rejects.toThrow(/has no database of that name/);
});
