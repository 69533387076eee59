import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "import-rule-"));
copyFileSync(join(root, "biome.json"), join(folder, "biome.json"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["packages/mcp/src/trace/tree.ts", "node:fs", "pure domain"],
  ["packages/mcp/src/trace/tree.ts", "zod", "pure domain"],
  ["packages/mcp/src/trace/tree.ts", "../api/client.js", "pure domain"],
  ["packages/mcp/src/api/client.ts", "../tools/index.js", "knows only trace/"],
  ["packages/mcp/src/api/client.ts", "@modelcontextprotocol/server", "knows only trace/"],
  ["packages/mcp/src/tools/list-traces.ts", "@modelcontextprotocol/server", "belong to server.ts"],
  ["packages/mcp/src/tools/list-traces.ts", "node:http", "belong to server.ts"],
  ["packages/mcp/src/opening.ts", "@modelcontextprotocol/server", "not yet loaded"],
  ["packages/mcp/src/config.ts", "zod", "not yet loaded"],
  ["packages/mcp/src/cli.ts", "agentops-local", "must not depend on the database"],
  ["packages/mcp/src/server.ts", "agentops-local", "must not depend on the database"],
  ["packages/mcp/src/api/client.ts", "chdb", "must not depend on the database"],
  ["packages/mcp/src/api/client.ts", "../listen.js", "knows only trace/"],
  ["packages/mcp/src/tools/list-traces.ts", "../log.js", "belong to server.ts"],
  ["packages/local/src/rest/api.ts", "@clickhouse/client", "Only store/"],
  ["packages/local/src/sample/send.ts", "@clickhouse/client", "Only store/"],
  ["packages/local/src/rest/api.ts", "../store/traces.js", "through its index"],
  ["packages/local/src/rest/api.ts", "../otlp/receiver.js", "meet in the store"],
  ["packages/local/src/rest/api.ts", "protobufjs", "meet in the store"],
  ["packages/local/src/otlp/receiver.ts", "../rest/api.js", "meet in the store"],
  ["packages/local/src/store/store.ts", "../rest/api.js", "it knows neither"],
  ["packages/local/src/store/store.ts", "../../../mcp/src/server.js", "public index"],
  ["packages/local/src/cli.ts", "chdb/connection", "Only store/"],
  ["packages/local/src/server.ts", "../../mcp/src/server.js", "public index"],
  ["packages/local/src/store/store.ts", "mcp-server-agentops-api/trace", "public index"],
])("%s may not import %s, and lint says why", (path, imported, reason) => {
  expect(lint(path, imported)).toContain(reason);
});

test.each([
  ["packages/mcp/src/tools/list-traces.ts", "../api/client.js"],
  ["packages/mcp/src/cli.ts", "./serve-stdio.js"],
  ["packages/mcp/src/api/client.ts", "../trace/tree.js"],
  ["packages/local/src/store/database.ts", "chdb/connection"],
  ["packages/local/src/server.ts", "mcp-server-agentops-api"],
  ["packages/local/src/otlp/pricing.ts", "mcp-server-agentops-api/semconv"],
  ["packages/local/src/store/derived-columns.ts", "mcp-server-agentops-api/semconv"],
  ["packages/local/src/rest/api.ts", "../store/index.js"],
])("%s may import %s", (path, imported) => {
  expect(lint(path, imported)).not.toContain("noRestrictedImports");
});

/** What the linter says of a file at this path that imports this. */
function lint(path: string, imported: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `export * from "${imported}";\n`);

  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--colors=off", "--vcs-enabled=false", file];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder });
  return `${stdout}${stderr}`;
}
