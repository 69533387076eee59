import { readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { examine } from "../../src/doctor/examine.js";
import { runProjects } from "../../src/projects.js";
import { defaultProject } from "../../src/store/index.js";
import { type RunningBinary, run, serve } from "../binary.js";
import {
  type Answer,
  answer,
  defaultProjectId,
  fetchToken,
  postJson,
  readAs,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from "../harness.js";
import { exportOf, newTraceId, spanAt, toProtobuf } from "../otlp-message.js";

// agent ──▶ local (in this process) ──▶ cloud: another agentops-local, a process of its own
let folder: string;
let cloud: RunningBinary;
let local: TestServer;
/** Of a project of the cloud's. */
let projectId: string;
let key: string;

const cloudDir = () => join(folder, "cloud");
const localDir = () => join(folder, "local");

async function entriesOnDisk(): Promise<string[]> {
  const names = await readdir(join(localDir(), "forward"), { recursive: true });
  return names.filter((name) => name.endsWith(".entry"));
}

async function projects(...args: string[]): Promise<string[]> {
  const command = run("projects", ...args, "--data-dir", cloudDir());
  expect(await command.exited).toBe(0);
  return command.stdout().trim().split(/ {2,}/);
}

const startLocal = () =>
  startTestServer(localDir(), { forward: { api: cloud.url, exporter: cloud.url } });

async function killCloud(): Promise<void> {
  cloud.child.kill("SIGKILL");
  await cloud.exited;
}

async function reviveCloud(): Promise<void> {
  cloud = await serve(cloudDir(), "--port", new URL(cloud.url).port);
}

beforeAll(async () => {
  folder = await temporaryFolder();
  [, projectId = "", key = ""] = await projects("create", "shop");
  cloud = await serve(cloudDir());
  local = await startLocal();
});
afterAll(async () => {
  await local.close();
  await killCloud();
  await rm(folder, { recursive: true });
});

const exchange = (apiKey: string) => postJson(`${local.url}/v3/auth/token`, { api_key: apiKey });

async function health() {
  return (await answer(await local.get("/health"))).body.forward;
}

/** Sends a span; an agent would have gone on by the time this resolves. */
async function send(token: string): Promise<string> {
  const traceId = newTraceId();
  const response = await fetch(`${local.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", authorization: `Bearer ${token}` },
    body: toProtobuf(exportOf(spanAt(0, 5, { traceId, name: "step" }))),
  });
  expect(response.status).toBe(200);
  return traceId;
}

async function eventually(check: () => Promise<void>): Promise<void> {
  await vi.waitFor(check, { timeout: 20_000, interval: 100 });
}

async function inCloud(path: string): Promise<Answer> {
  return await readAs(cloud.url, path, await fetchToken(cloud.url, key));
}

async function arrives(...traceIds: string[]): Promise<void> {
  await eventually(async () => {
    for (const id of traceIds) expect((await inCloud(`/v4/traces/${id}`)).status).toBe(200);
  });
}

test("what an SDK sends is kept here and arrives in the cloud, under the same project", async () => {
  const { body } = await exchange(key);
  expect(body.project_id).toBe(projectId);
  const traceId = await send(body.token);
  expect((await readAs(local.url, `/v4/traces/${traceId}`, body.token)).body.project_id).toBe(
    projectId,
  );
  await arrives(traceId);
  expect(await health()).toMatchObject({ to: cloud.url, queued: 0, dropped: 0 });
  expect((await health()).sent).toBeGreaterThan(0);
});

test("the start says what to paste: a key of the cloud's", async () => {
  const binary = await serve(join(folder, "banner"), "--forward", cloud.url, "--retention", "90m");
  onTestFinished(async () => {
    binary.child.kill("SIGTERM");
    await binary.exited;
  });
  const banner = binary.stderr();
  expect(banner).toContain(`forwards to   ${cloud.url}\n`);
  expect(banner).toContain("AGENTOPS_API_KEY=YOUR_AGENTOPS_API_KEY\n");
  expect(banner).toContain('"X-Agentops-Api-Key": "YOUR_AGENTOPS_API_KEY"');
  expect(banner).not.toContain(defaultProject.apiKey);
  expect(banner).toContain("removes       what is older than 90 minutes\n");
  expect(banner).toContain("Authorization=Bearer%20YOUR_TOKEN");
  expect(banner).not.toContain("does not answer");
});

test("where no AgentOps is, the start says so, and what comes waits", async () => {
  const other = createServer((_, response) => response.writeHead(404).end("{}"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const binary = await serve(join(folder, "wrong"), "--forward", url);
  onTestFinished(async () => {
    binary.child.kill("SIGTERM");
    await binary.exited;
    other.close();
  });
  await expect.poll(binary.stderr).toContain(`${url} does not answer as AgentOps does.`);

  const { body } = await postJson(`${binary.url}/v3/auth/token`, { api_key: key });
  await fetch(`${binary.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", authorization: `Bearer ${body.token}` },
    body: toProtobuf(exportOf(spanAt(0, 5, { traceId: newTraceId() }))),
  });
  const health = await answer(await fetch(`${binary.url}/health`));
  expect(health.body).toMatchObject({
    refused_keys: 0,
    forward: { queued: 1, sent: 0, dropped: 0 },
  });
});

test("a log arrives too", async () => {
  const { body } = await exchange(key);
  const traceId = newTraceId();
  await fetch(`${local.url}/v4/logs/upload/`, {
    method: "POST",
    headers: { authorization: `Bearer ${body.token}`, "trace-id": String(BigInt(`0x${traceId}`)) },
    body: "printed",
  });
  await eventually(async () => {
    expect((await inCloud(`/v4/logs/${traceId}`)).body.content).toBe("printed");
  });
});

test("what comes without a token stays here", async () => {
  const before = await health();
  const response = await fetch(`${local.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: toProtobuf(exportOf(spanAt(0, 5, { traceId: newTraceId() }))),
  });
  expect(response.status).toBe(200);
  const after = await health();
  expect(after.sent + after.queued).toBe(before.sent + before.queued);
});

test("a key that only this server knows opens its project, whose spans stay here", async () => {
  const created = await runProjects({ kind: "create", name: "private" }, { dataDir: localDir() });
  const [, id, localKey = ""] = created.trim().split(/ {2,}/);
  const { body } = await exchange(localKey);
  expect(body.project_id).toBe(id);
  const before = await health();
  await send(body.token);
  const after = await health();
  expect(after.sent + after.queued).toBe(before.sent + before.queued);
});

test("a key that neither knows is refused", async () => {
  expect(await exchange("11111111-2222-3333-4444-555555555555")).toEqual({
    status: 403,
    body: { error: "Invalid API key" },
  });
});

test("doctor looks at the cloud's project without trying its key, and counts none as refused", async () => {
  const refused = async () => (await answer(await local.get("/health"))).body.refused_keys;
  const before = await refused();
  const config = { host: "127.0.0.1", port: 0, dataDir: localDir(), sample: false };
  expect(await examine(config)).toContainEqual({
    name: `project cloud ${projectId.slice(0, 8)}`,
    state: "ok",
    detail: expect.stringMatching(
      /^its key is the cloud's; \d+ spans? in \d+ traces?, the newest of/,
    ),
  });
  expect(await refused()).toBe(before);
});

test("the key of the cloud's project is not rotated here, and still opens it", async () => {
  const rotate = runProjects({ kind: "rotate-key", project: projectId }, { dataDir: localDir() });
  await expect(rotate).rejects.toThrow("This project is the cloud's, and so is its key");
  expect((await exchange(key)).body.project_id).toBe(projectId);
});

test("the key itself is nowhere on disk once its exports have arrived", async () => {
  await eventually(async () => expect((await health()).queued).toBe(0));
  expect(await entriesOnDisk()).toEqual([]);
});

describe("with the cloud away", () => {
  let early: string[];
  beforeAll(async () => {
    const { body } = await exchange(key);
    await killCloud();
    early = [await send(body.token), await send(body.token)];
  });

  test("an agent goes on as before, and what it sends waits", async () => {
    const start = Date.now();
    const { body } = await exchange(key);
    expect(body.project_id).toBe(projectId);
    early.push(await send(body.token));
    expect(Date.now() - start).toBeLessThan(2000);
    expect(await health()).toMatchObject({ queued: 3 });
  });

  test("a key seen for the first time opens the default project", async () => {
    const { body } = await exchange("11111111-2222-3333-4444-555555555555");
    expect(body.project_id).toBe(defaultProjectId);
    await send(body.token);
  });

  test("a restart loses nothing; once the cloud is back all of it arrives, but for what it refuses", async () => {
    await local.close();
    local = await startLocal();
    expect(await health()).toMatchObject({ queued: 4, sent: 0 });

    await reviveCloud();
    await arrives(...early);
    await eventually(async () => {
      expect(await health()).toMatchObject({ queued: 0, queued_bytes: 0, sent: 3, dropped: 1 });
    });
    expect(await entriesOnDisk()).toEqual([]);
    expect(local.errors).toEqual([]);
  });
});
