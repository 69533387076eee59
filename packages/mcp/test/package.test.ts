import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPackage } from "../../../test/install-package.js";
import { openFaultServer } from "./api/fault-server.js";
import { apiKey, scriptBearerGeneration } from "./api/scripts.js";
import { callerOf } from "./mcp-client.js";

/** What a user may be asked to download. */
const MAX_UNPACKED_BYTES = 2_000_000;

/** What is loaded before the first answer: mostly the answers themselves. zod alone would double it. */
const MAX_CLI_BYTES = 120_000;

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

test("its command starts without the server, which takes three times as long to load as Node to start", () => {
  const cli = join(folder, "node_modules/mcp-server-agentops-api/dist/cli.cjs");
  expect(statSync(cli).size).toBeLessThan(MAX_CLI_BYTES);
});

test("it brings no compiler of schemas, which would cost 30 ms at every start", () => {
  const server = join(folder, "node_modules/mcp-server-agentops-api/dist/serve-stdio.cjs");
  expect(readFileSync(server, "utf8")).not.toMatch(/\bajv/i);
});

test("npx starts it from a folder that holds nothing else, without a network, to read a server of this machine", async () => {
  await using api = await openFaultServer();
  scriptBearerGeneration(api);
  const client = new Client({ name: "test", version: "1.0.0" });
  const args = ["--offline", "mcp-server-agentops-api"];
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    AGENTOPS_API_KEY: apiKey,
    AGENTOPS_API_URL: api.url,
  };
  await client.connect(new StdioClientTransport({ command: "npx", args, env, cwd: folder }));
  const { text, isError } = await callerOf(client)("list_traces");
  await client.close();

  expect({ text, isError }).toEqual({ text: '{"traces":[],"total":0}', isError: false });
});

test("it brings the licence of everything that is bundled into it", () => {
  const notices = join(folder, "node_modules/mcp-server-agentops-api/dist/THIRD-PARTY-NOTICES.txt");
  const text = readFileSync(notices, "utf8");
  for (const name of ["@modelcontextprotocol/server", "zod", "ipaddr.js", "@hono/node-server"]) {
    expect(text).toContain(`${name} `);
  }
  expect(text.match(/^Permission is hereby granted|Apache License/gim)?.length).toBeGreaterThan(3);
});
