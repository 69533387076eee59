import { rm } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { examine } from "../src/doctor/examine.js";
import { type ClickHouseFront, clickHouseUser, startClickHouseFront } from "./clickhouse-front.js";
import {
  fetchToken,
  readAs,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from "./harness.js";
import { exportOf, newTraceId, spanAt, toJson } from "./otlp-message.js";

let front: ClickHouseFront;
let servers: [TestServer, TestServer];
const jwtSecret = "what the servers of one database share";

const location = () => ({
  clickHouse: { ...clickHouseUser, url: front.url, database: "agentops" },
  jwtSecret,
});

beforeAll(async () => {
  front = await startClickHouseFront();
  servers = [
    await startTestServer(undefined, location()),
    await startTestServer(undefined, location()),
  ];
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await front.close();
});

test("any of the servers that share a database takes the next request", async () => {
  const [one, other] = servers;
  const token = await fetchToken(one.url);
  const traceId = newTraceId();
  const exported = await fetch(`${one.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: toJson(exportOf(spanAt(0, 10, { traceId }))),
  });
  expect(exported.status).toBe(200);
  for (const { url } of [other, one]) {
    const { body } = await readAs(url, "/v4/traces", token);
    expect(body).toMatchObject({ total: 1, traces: [{ trace_id: traceId }] });
  }
});

test("doctor looks at the database where no server runs, and prints no password", async () => {
  const dataDir = await temporaryFolder();
  const checks = await examine({
    ...location(),
    dataDir,
    host: "127.0.0.1",
    port: 0,
    sample: false,
  });
  expect(checks.filter(({ state }) => state !== "ok")).toEqual([]);
  expect(checks).toContainEqual({
    name: "database",
    state: "ok",
    detail: expect.stringMatching(
      /^ClickHouse [\d.]+ \(server\), database agentops of http:\/\/127/,
    ),
  });
  expect(JSON.stringify(checks)).not.toContain(clickHouseUser.password);
  expect(JSON.stringify(checks)).not.toContain(jwtSecret);
  await rm(dataDir, { recursive: true });
});

test("doctor names the database of the server that runs, whatever its own environment says", async () => {
  const [{ dataDir }] = servers;
  const checks = await examine({ dataDir, jwtSecret, host: "127.0.0.1", port: 0, sample: false });
  expect(checks.find(({ name }) => name === "database")?.detail).toMatch(
    /\(server\), database agentops of http:\/\/127/,
  );
});

test("doctor makes no database, and says that it is made at the first start", async () => {
  const dataDir = await temporaryFolder();
  const clickHouse = { ...location().clickHouse, database: "fresh" };
  const config = { dataDir, jwtSecret, clickHouse, host: "127.0.0.1", port: 0, sample: false };
  expect(await examine(config)).toContainEqual({
    name: "database",
    state: "ok",
    detail: `database fresh of ${front.url}, made at the first start`,
  });
  expect(front.ask("SELECT name FROM system.databases WHERE name = 'fresh'")).toEqual([]);
  await rm(dataDir, { recursive: true });
});
