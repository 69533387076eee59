import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Check, formatChecks } from "../src/doctor/check.js";
import { examine } from "../src/doctor/examine.js";
import { checkNode, checkSpace } from "../src/doctor/machine-checks.js";
import { runProjects } from "../src/projects.js";
import { version } from "../src/version.js";
import { run } from "./binary.js";
import {
  answer,
  fetchToken,
  postJson,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from "./harness.js";
import { exportOf, newTraceId, spanAt, toJson } from "./otlp-message.js";

let dataDir: string;
beforeEach(async () => {
  dataDir = await temporaryFolder();
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const config = (fields = {}) => ({ host: "127.0.0.1", port: 0, dataDir, sample: false, ...fields });

async function makeStore(): Promise<void> {
  await runProjects({ kind: "create", name: "shop" }, { dataDir });
}

function found(checks: readonly Check[], name: string): Check | undefined {
  return checks.find((check) => check.name === name);
}

test.each([
  ["20.0.0", "ok"],
  ["22.1.0", "ok"],
  ["18.20.4", "fail"],
])("Node.js %s is %s", (nodeVersion, state) => {
  expect(checkNode(nodeVersion)).toMatchObject({ state, detail: nodeVersion });
});

test.each([
  [10 * 1024 ** 3, "ok"],
  [1024 ** 3, "warn"],
  [100 * 1024 ** 2, "fail"],
])("%d free bytes are %s", (bytes, state) => {
  expect(checkSpace({ bavail: bytes / 1024, bsize: 1024 }).state).toBe(state);
});

test("before the first start nothing is wrong, and nothing is made", async () => {
  const checks = await examine(config({ dataDir: join(dataDir, "new") }));
  expect(checks.map(({ state }) => state)).toEqual(["ok", "ok", "ok"]);
  expect(found(checks, "data folder")?.detail).toMatch(/made at the first start$/);
  await expect(rm(join(dataDir, "new"))).rejects.toThrow("ENOENT");
});

test("a data folder that others can read is warned of, with the command that mends it", async () => {
  await chmod(dataDir, 0o755);
  expect(found(await examine(config()), "data folder")).toEqual({
    name: "data folder",
    state: "warn",
    detail: `${dataDir} can be read by other users (mode 755)`,
    advice: `Prompts are in there: chmod 700 "${dataDir}"`,
  });
});

test("a file where the data folder should be fails", async () => {
  const file = join(dataDir, "file");
  await writeFile(file, "");
  const check = found(await examine(config({ dataDir: file })), "data folder");
  expect(check).toMatchObject({ state: "fail", advice: expect.stringContaining("--data-dir") });
});

test("in a folder without a database none is made", async () => {
  expect(found(await examine(config()), "database")).toMatchObject({
    state: "ok",
    detail: `${dataDir}, made at the first start`,
  });
  expect(await readdir(dataDir)).toEqual([]);
});

test("a damaged secret fails with what mends it", async () => {
  await makeStore();
  await writeFile(join(dataDir, "jwt-secret"), "");
  expect(found(await examine(config()), "database")).toMatchObject({
    state: "fail",
    advice: expect.stringMatching(/jwt-secret is damaged.*Delete it/),
  });
});

test("exports that wait for a server with --forward are warned of", async () => {
  await makeStore();
  await mkdir(join(dataDir, "forward", "exporter"), { recursive: true });
  await writeFile(join(dataDir, "forward", "exporter", "000000000000.entry"), "");
  await writeFile(join(dataDir, "forward", "000000000000.entry"), "");
  expect(found(await examine(config()), "forwarding")).toMatchObject({
    state: "warn",
    detail: "1 export waiting",
    advice: expect.stringContaining("--forward"),
  });
});

test("what cannot be looked at is a finding, and hides no other", async () => {
  const answers = new Map<string | undefined, unknown>([
    ["/health", { instance: "there" }],
    ["/opsboard/projects", [{ id: randomUUID(), name: "shop", api_key: randomUUID() }]],
  ]);
  const broken = createServer(({ url }, response) => {
    response.writeHead(answers.has(url) ? 200 : 500).end(JSON.stringify(answers.get(url)));
  });
  await new Promise<void>((resolve) => broken.listen(0, "127.0.0.1", resolve));
  const { port } = broken.address() as AddressInfo;
  await writeFile(join(dataDir, "server-url"), `http://127.0.0.1:${port}\nthere\n${dataDir}`);
  const checks = await examine(config({ forward: { api: `http://127.0.0.1:${port}` } }));
  broken.close();
  expect(checks.map(({ name, state }) => `${name}: ${state}`)).toEqual([
    "Node.js: ok",
    "data folder: ok",
    "disk space: ok",
    "server: fail",
    "project shop: fail",
    "forwarding: fail",
    "cloud: warn",
  ]);
  expect(found(checks, "project shop")?.advice).toMatch(/^The server answered 500/);
});

describe("another program on the port", () => {
  const other = createServer((_request, response) => response.writeHead(404).end("{}"));
  beforeAll(() => new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve)));
  afterAll(() => other.close());
  const portOf = () => (other.address() as AddressInfo).port;

  test("fails, and the exit code says so", async () => {
    expect(found(await examine(config({ port: portOf() })), "port")).toMatchObject({
      state: "fail",
      detail: `127.0.0.1:${portOf()} cannot be listened on (EADDRINUSE)`,
    });
    const doctor = run("doctor", "--data-dir", dataDir, "--port", String(portOf()));
    expect(await doctor.exited).toBe(1);
    expect(doctor.stdout()).toMatch(
      /^fail {2}port +127\.0\.0\.1:.*\n {6}→ Choose another with --port/m,
    );
  });

  test("is no cloud; one is looked at only with --forward", async () => {
    const forwarding = (url: string) => config({ forward: { api: url, exporter: url } });
    expect(found(await examine(config()), "cloud")).toBeUndefined();
    for (const url of [`http://127.0.0.1:${portOf()}`, "http://127.0.0.1:1"]) {
      expect(found(await examine(forwarding(url)), "cloud")).toMatchObject({
        state: "warn",
        detail: `no AgentOps answers at ${url}`,
      });
    }
  });
});

test("a key that everybody knows is warned of where others reach the server", async () => {
  const server = await startTestServer(dataDir);
  const exposed = config({ host: "0.0.0.0" });
  expect(found(await examine(config()), "default key")).toBeUndefined();
  expect(found(await examine(exposed), "default key")?.state).toBe("warn");
  await runProjects({ kind: "rotate-key", project: "default" }, { dataDir });
  expect(found(await examine(exposed), "default key")).toBeUndefined();
  await server.close();
});

test("keys that open no project are reported once each, and counted", async () => {
  const server = await startTestServer(dataDir);
  expect(found(await examine(config()), "API keys")).toBeUndefined();
  for (const api_key of [randomUUID(), "no UUID", ""]) {
    await postJson(`${server.url}/v3/auth/token`, { api_key });
    await postJson(`${server.url}/public/v1/auth/access_token`, { api_key });
  }
  expect(server.warnings).toEqual(
    Array(2).fill(
      expect.stringMatching(
        /^An API key was refused.* Reads with it fail; spans sent with it go to the default project\./,
      ),
    ),
  );
  expect(found(await examine(config()), "API keys")).toEqual({
    name: "API keys",
    state: "warn",
    detail: "2 keys refused since the start: they open no project",
    advice: expect.stringMatching(/your agent or MCP client runs.* agentops-local projects list$/),
  });
  await server.close();
});

test("of more keys than are told apart, the number is a lower bound", async () => {
  const server = await startTestServer(dataDir);
  const keys = Array.from({ length: 1001 }, (_, index) => `no UUID ${index}`);
  await Promise.all(keys.map((api_key) => postJson(`${server.url}/v3/auth/token`, { api_key })));
  expect(found(await examine(config()), "API keys")?.detail).toMatch(
    /^at least 1,000 keys refused/,
  );
  await server.close();
});

async function sendSpan(url: string, headers: Record<string, string> = {}): Promise<void> {
  await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: toJson(exportOf(spanAt(0, 10, { traceId: newTraceId() }))),
  });
}

test("exports without a valid token are counted, and reported once they may be missed in another project", async () => {
  const server = await startTestServer(dataDir);
  await sendSpan(server.url);
  await sendSpan(server.url, { authorization: "Bearer of-elsewhere" });
  await sendSpan(server.url, { authorization: `Bearer ${await fetchToken(server.url)}` });
  await fetch(`${server.url}/v1/traces`, { method: "POST", body: "no export" });
  const { body: health } = await answer(await server.get("/health"));
  expect(health.anonymous_exports).toBe(2);
  expect(found(await examine(config()), "exports")).toBeUndefined();

  await runProjects({ kind: "create", name: "shop" }, { dataDir });
  expect(found(await examine(config()), "exports")).toEqual({
    name: "exports",
    state: "warn",
    detail:
      "2 exports came without a valid token since the start: their spans are in the default project",
    advice: expect.stringContaining("time.sleep(2) after agentops.init()"),
  });
  await server.close();
});

describe("while a server runs", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer(dataDir, {
      forward: { api: "http://127.0.0.1:1", exporter: "http://127.0.0.1:1" },
    });
  });
  afterEach(() => server.close());

  test("it, its projects and what it forwards are looked at", async () => {
    expect(found(await examine(config()), "project default")).toMatchObject({
      detail: "key is good; no spans yet",
      advice: expect.stringContaining("--sample"),
    });
    await sendSpan(server.url);
    const checks = await examine(config());
    expect(checks.map(({ state }) => state)).not.toContain("fail");
    expect(found(checks, "server")?.detail).toBe(`${server.url}, version ${version}`);
    expect(found(checks, "project default")?.detail).toBe(
      "key is good; 1 span in 1 trace, the newest of 2026-01-02T03:04:05.123456+00:00",
    );
    expect(found(checks, "exports")?.detail).toMatch(
      /^1 export came .* default project and were not forwarded$/,
    );
    expect(found(checks, "forwarding")).toEqual({
      name: "forwarding",
      state: "ok",
      detail: "to http://127.0.0.1:1: 0 queued, 0 sent, 0 dropped",
    });
    expect(formatChecks(checks)).toMatch(/^ok {4}Node\.js +20\.|^ok {4}Node\.js +\d+/);
  });

  test("on its port, without its data folder, it is named", async () => {
    const elsewhere = { port: Number(new URL(server.url).port), dataDir: join(dataDir, "other") };
    expect(found(await examine(config(elsewhere)), "port")).toMatchObject({
      state: "fail",
      detail: `agentops-local answers at ${new URL(server.url).host} with another data folder`,
      advice: expect.stringContaining("--data-dir"),
    });
  });

  // The server of this test runs from source, and says so in place of a version; the program is built.
  test("--json prints the same checks; a server of another version is warned of", async () => {
    const doctor = run("doctor", "--json", "--data-dir", dataDir);
    expect(await doctor.exited).toBe(0);
    const checks: Check[] = JSON.parse(doctor.stdout());
    expect(found(checks, "project default")?.state).toBe("ok");
    expect(found(checks, "server")).toMatchObject({
      state: "warn",
      detail: expect.stringContaining(`runs version ${version}, this is `),
    });
  });
});
