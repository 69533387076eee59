import { once } from "node:events";
import { readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openDatabase } from "../src/store/database.js";
import { type RunningBinary, serve } from "./binary.js";
import { answer, postJson, temporaryFolder } from "./harness.js";
import { exportOf, newTraceId, spanAt, toProtobuf } from "./otlp-message.js";

/** Every secret that the server is given or obtains. Each is unlike anything else in its output. */
const secrets = {
  cloudKey: "c10dc10d-2222-4333-8444-555555555555",
  unknownKey: "badbad00-2222-4333-8444-555555555555",
  malformedKey: "planted-malformed-key",
  cloudToken: "planted-cloud-token-3e9a",
  strangeToken: "planted-strange-token-77b2",
  sessionCookie: "planted-session-cookie",
};

let folder: string;
let cloud: Server;
let local: RunningBinary;
/** The first export fails, with everything repeated that was sent. */
let exportCount = 0;

beforeEach(async () => {
  folder = await temporaryFolder();
  exportCount = 0;
  cloud = createServer(async (request, response) => {
    const body = await text(request);
    const echo = JSON.stringify({ error: JSON.stringify(request.headers) + body });
    if (request.url === "/v3/auth/token") {
      const isKnown = body.includes(secrets.cloudKey);
      const issued = { token: secrets.cloudToken, project_id: PROJECT_ID };
      return response.writeHead(isKnown ? 200 : 403).end(isKnown ? JSON.stringify(issued) : echo);
    }
    exportCount += 1;
    response.writeHead(exportCount === 1 ? 500 : 200).end(echo);
  });
  cloud.listen(0, "127.0.0.1");
  await once(cloud, "listening");
  const { port } = cloud.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  local = await serve(join(folder, "data"), "--forward", url, "--forward-exporter", url);
});
afterEach(async () => {
  local.child.kill("SIGKILL");
  await local.exited;
  cloud.closeAllConnections();
  cloud.close();
  await rm(folder, { recursive: true });
});

const PROJECT_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

test("nothing that agentops-local ever writes holds a key of the cloud's or a token", async () => {
  const { body } = await postJson(`${local.url}/v3/auth/token`, { api_key: secrets.cloudKey });
  const planted = [...Object.values(secrets), body.token, body.token.split(".")[1]];
  await send(body.token);
  const answers = await provoke();
  await vi.waitFor(
    async () => {
      const { body } = await answer(await fetch(`${local.url}/health`));
      expect(body.forward).toMatchObject({ queued: 0, sent: 1 });
    },
    { timeout: 20_000, interval: 100 },
  );
  local.child.kill("SIGTERM");
  expect(await local.exited).toBe(0);

  expect(answers.length).toBeGreaterThan(15);
  const stored = await rowsIn(join(folder, "data"));
  expect(stored).toContain(PROJECT_ID);
  const written = [...answers, local.stdout(), local.stderr(), await filesIn(folder), stored];
  for (const secret of planted) {
    for (const form of [secret, Buffer.from(secret).toString("base64")]) {
      expect(written.filter((each) => each.includes(form))).toEqual([]);
    }
  }
});

async function send(token: string): Promise<void> {
  const { status } = await fetch(`${local.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", authorization: `Bearer ${token}` },
    body: toProtobuf(exportOf(spanAt(0, 5, { traceId: newTraceId(), name: "step" }))),
  });
  expect(status).toBe(200);
}

/** Everything that can be asked in a wrong way, and what is said to it. */
async function provoke(): Promise<string[]> {
  const { unknownKey, malformedKey, strangeToken, sessionCookie } = secrets;
  const json = { "content-type": "application/json" };
  const exchanges = ["/v3/auth/token", "/public/v1/auth/access_token"].flatMap((path) =>
    [
      JSON.stringify({ api_key: unknownKey }),
      JSON.stringify({ api_key: malformedKey }),
      JSON.stringify({ [malformedKey]: unknownKey }),
      `{"api_key": "${unknownKey}`,
    ].map((body) => fetch(local.url + path, { method: "POST", headers: json, body })),
  );
  const authorized = {
    authorization: `Bearer ${strangeToken}`,
    cookie: `session_id=${sessionCookie}`,
  };
  const reads = ["/v4/traces", "/v4/traces/1", "/public/v1/traces/1", "/opsboard/projects"].map(
    (path) => fetch(local.url + path, { headers: authorized }),
  );
  const writes = ["/v1/traces", "/v4/logs/upload/", "/opsboard/projects"].map((path) =>
    fetch(local.url + path, { method: "POST", headers: { ...authorized, ...json }, body: "{" }),
  );
  const calls = [{ "x-agentops-api-key": unknownKey }, { "x-agentops-api-key": malformedKey }].map(
    (headers) => callListTraces({ ...json, ...headers }),
  );
  const responses = await Promise.all([...exchanges, ...reads, ...writes, ...calls]);
  for (const { status } of responses) expect(status).not.toBe(500);
  return await Promise.all(
    responses.map(
      async (response) => JSON.stringify([...response.headers]) + (await response.text()),
    ),
  );
}

function callListTraces(headers: Record<string, string>): Promise<Response> {
  const params = { name: "list_traces", arguments: {} };
  return fetch(`${local.url}/mcp`, {
    method: "POST",
    headers: { ...headers, accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
  });
}

async function filesIn(path: string): Promise<string> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const contents = files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1"));
  return (await Promise.all(contents)).join("\n");
}

/** Every row of every table, the engine's own among them: in the files they are compressed. */
async function rowsIn(dataDir: string): Promise<string> {
  const database = await openDatabase({ dataDir });
  const tables = await database.read<{ path: string }>(
    "SELECT concat(database, '.', name) AS path FROM system.tables WHERE engine LIKE '%MergeTree' OR name LIKE '%_log'",
  );
  const rows: unknown[] = [];
  for (const { path } of tables) rows.push(...(await database.read(`SELECT * FROM ${path}`)));
  await database.close();
  return JSON.stringify(rows);
}
