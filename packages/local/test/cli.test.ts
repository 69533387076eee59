import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { run, serve } from "./binary.js";
import { defaultKey, fetchToken, folderForTests, readAs, temporaryFolder } from "./harness.js";
import { exportOf, newTraceId, type OtlpExport, spanAt, toProtobuf } from "./otlp-message.js";

const dataDir = await folderForTests();

async function send(url: string, message: OtlpExport): Promise<Response> {
  const headers = { "content-type": "application/x-protobuf" };
  return await fetch(`${url}/v1/traces`, { method: "POST", headers, body: toProtobuf(message) });
}

test("--version and --help go to stdout", async () => {
  const packageJson = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8"),
  );
  const version = run("--version");
  expect(await version.exited).toBe(0);
  expect(version.stdout()).toBe(`${packageJson.version}\n`);

  const help = run("--help");
  expect(await help.exited).toBe(0);
  expect(help.stdout()).toContain("Usage: agentops-local");
});

test("an unknown flag exits with 2 and names the valid ones", async () => {
  const failed = run("--prot", "1");
  expect(await failed.exited).toBe(2);
  expect(failed.stderr()).toMatch(
    /^agentops-local: Unknown option '--prot'.* Valid options: --port/,
  );
  expect(failed.stdout()).toBe("");
});

describe("what cannot start says why in one line, and what to do", () => {
  const file = () => join(dataDir, "a-file");
  const damaged = () => join(dataDir, "damaged");
  const fileInside = () => join(dataDir, "file-inside");
  const storeFile = () => join(dataDir, "store-file");
  beforeAll(async () => {
    await writeFile(file(), "");
    await mkdir(damaged());
    await writeFile(join(damaged(), "jwt-secret"), "");
    await mkdir(fileInside());
    await writeFile(join(fileInside(), "clickhouse"), "");
    await mkdir(join(storeFile(), "clickhouse"), { recursive: true });
    await writeFile(join(storeFile(), "clickhouse", "store"), "");
  });

  test.each([
    ["a file as data directory", () => ["--data-dir", file()], /\(ENOTDIR\).*--data-dir/],
    ["a folder in a file", () => ["--data-dir", join(file(), "x")], /\(ENOTDIR\).*--data-dir/],
    ["a folder that takes no folders", () => ["--data-dir", "/dev/null/x"], /\(ENOTDIR\)/],
    ["a folder in /proc", () => ["--data-dir", "/proc/agentops/x"], /\(\w+\).*--data-dir/],
    ["an address of another machine", () => ["--host", "203.0.113.7"], /\(EADDRNOTAVAIL\).*--host/],
    ["a host without address", () => ["--host", "nonsense.invalid"], /nonsense.invalid.*--host/],
    ["a file as database", () => ["--data-dir", fileInside()], /clickhouse cannot.*\(ENOTDIR\)/],
    ["a file in the database", () => ["--data-dir", storeFile()], /is damaged.*--data-dir/],
    ["a damaged secret", () => ["--data-dir", damaged()], /jwt-secret is damaged.*Delete it/],
  ])("%s", async (_name, args, message) => {
    const failed = run("--port", "0", "--data-dir", join(dataDir, "unused"), ...args());
    expect(await failed.exited).toBe(1);
    expect(failed.stderr()).toMatch(message);
    expect(failed.stderr()).toMatch(/^agentops-local: .*\n$/);
  });
});

describe("a running server", () => {
  test("prints where it is and what to paste, on stderr only", async () => {
    const server = await serve(dataDir, "--retention", "30d");
    const printed = server.stderr();
    for (const line of [
      "removes       what is older than 30 days\n",
      `AGENTOPS_API_KEY=${defaultKey}`,
      `AGENTOPS_API_ENDPOINT=${server.url}`,
      `AGENTOPS_EXPORTER_ENDPOINT=${server.url}/v1/traces`,
      `OTEL_EXPORTER_OTLP_ENDPOINT=${server.url}`,
      dataDir,
    ]) {
      expect(printed).toContain(line);
    }
    const mcpConfigs = [...printed.matchAll(/^\{.*?^\}/gms)].map(([text]) => JSON.parse(text));
    expect(mcpConfigs.map(({ mcpServers }) => mcpServers.agentops)).toEqual([
      { type: "http", url: `${server.url}/mcp` },
    ]);

    server.child.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(server.stdout()).toBe("");
  });

  test("keeps the folder and the port to itself, and says so to a second one", async () => {
    const server = await serve(dataDir);
    const sameFolder = run("--port", "0", "--data-dir", dataDir);
    expect(await sameFolder.exited).toBe(1);
    expect(sameFolder.stderr()).toBe(
      `agentops-local: agentops-local already runs on ${dataDir}, at ${server.url}. Use that one, stop it, or choose another --data-dir.\n`,
    );

    const otherDir = await temporaryFolder();
    const samePort = run("--port", new URL(server.url).port, "--data-dir", otherDir);
    expect(await samePort.exited).toBe(1);
    expect(samePort.stderr()).toMatch(
      /agentops-local already listens on 127\.0\.0\.1:\d+, with another data folder.*--port/,
    );

    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    server.child.kill("SIGINT");
    expect(await server.exited).toBe(0);
    await rm(otherDir, { recursive: true });
  });

  test("finishes what it has begun when it is told to stop, and its tokens outlive it", async () => {
    const traceIds = Array.from({ length: 20 }, newTraceId);
    const first = await serve(dataDir);
    const token = await fetchToken(first.url);
    const exports = traceIds.map((traceId) => send(first.url, exportOf(spanAt(0, 1, { traceId }))));
    await exports[0];
    first.child.kill("SIGTERM");
    const answered = await Promise.allSettled(exports);
    expect(await first.exited).toBe(0);

    const second = await serve(dataDir);
    for (const [index, outcome] of answered.entries()) {
      if (outcome.status !== "fulfilled" || outcome.value.status !== 200) continue;
      expect((await readAs(second.url, `/v4/traces/${traceIds[index]}`, token)).status).toBe(200);
    }
    second.child.kill("SIGTERM");
    await second.exited;
  });
});

test("--sample leaves three runs to look at, however often it is given", async () => {
  const folder = await temporaryFolder();
  const start = async () => {
    const server = await serve(folder, "--sample");
    const { body } = await readAs(server.url, "/v4/traces", await fetchToken(server.url));
    server.child.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    const [title, ...traceIds] =
      /^Sample runs.*(\n {2}\w{32}){3}$/m.exec(server.stderr())?.[0].split(/\n {2}/) ?? [];
    expect(body.traces.map((trace: { trace_id: string }) => trace.trace_id)).toEqual(
      traceIds.reverse(),
    );
    return { title, traceIds };
  };
  const first = await start();
  expect(first.title).toBe("Sample runs:");
  expect(await start()).toEqual({ ...first, title: "Sample runs, of an earlier start:" });
  await rm(folder, { recursive: true });
});
