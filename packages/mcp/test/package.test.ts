import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPackage } from "../../../test/install-package.js";

/** What a user may be asked to download. */
const MAX_UNPACKED_BYTES = 2_000_000;

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mcp package "));
afterAll(() => rmSync(folder, { recursive: true }));

let packed: ReturnType<typeof installPackage>;

beforeAll(() => {
  packed = installPackage(packageFolder, folder);
});

test("it installs as one package: no dependencies, and no database", () => {
  const installed = readdirSync(join(folder, "node_modules")).filter((name) => name[0] !== ".");
  const { dependencies = {} } = JSON.parse(
    readFileSync(join(packageFolder, "package.json"), "utf8"),
  );

  expect(dependencies).toEqual({});
  expect(installed).toEqual(["mcp-server-agentops-api"]);
  expect(packed.unpackedSize).toBeLessThan(MAX_UNPACKED_BYTES);
});

test("it brings no compiler of schemas, which would cost 30 ms at every start", () => {
  const command = join(folder, "node_modules/mcp-server-agentops-api/dist/cli.cjs");
  expect(readFileSync(command, "utf8")).not.toMatch(/\bajv/i);
});

test("its command serves MCP from a folder that holds nothing else", async () => {
  const client = new Client({ name: "test", version: "1.0.0" });
  const command = join(folder, "node_modules/.bin/mcp-server-agentops-api");
  await client.connect(new StdioClientTransport({ command, cwd: folder }));
  const { tools } = await client.listTools();
  await client.close();

  expect(tools.map(({ name }) => name)).toContain("trace_detail");
});
