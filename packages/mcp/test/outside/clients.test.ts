import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FaultServer, openFaultServer } from "../api/fault-server.js";
import { apiKey, scriptBearerGeneration } from "../api/scripts.js";
import { startHttp } from "../http/http-process.js";
import { MCP_CLI } from "../mcp-client.js";
import { fetchFromNpm, fetchFromPypi, node22 } from "./outside.js";

const run = promisify(execFile);
const BODY = '{"traces" : [ ],\r\n "total":0}';

let api: FaultServer;
let env: Record<string, string>;

beforeEach(async () => {
  api = await openFaultServer();
  scriptBearerGeneration(api);
  api.on("GET /v4/traces", { body: BODY });
  env = { PATH: process.env.PATH ?? "", AGENTOPS_API_URL: api.url, AGENTOPS_API_KEY: apiKey };
});
afterEach(() => api[Symbol.asyncDispose]());

const overStdio = () => [process.execPath, MCP_CLI];
const overHttp = async () => [(await startHttp(env)).url];

describe.each([
  ["stdio", overStdio],
  ["HTTP", overHttp],
])("over %s", (_, start) => {
  const python = fetchFromPypi("mcp==2.3.0");

  test.skipIf(!python).each(["legacy", "auto"])(
    "the official Python client gets the body as it is, mode %s",
    async (mode) => {
      const script = fileURLToPath(new URL("python_client.py", import.meta.url));
      const args = [script, mode, ...(await start())];
      const { stdout } = await run(`${python}/bin/python`, args, { env });
      const { tools, text } = JSON.parse(stdout);

      expect(tools).toContain("trace_detail");
      expect(text).toBe(BODY);
    },
  );

  const node = node22();
  const inspector = fetchFromNpm("@modelcontextprotocol/inspector@2.12.0");

  test.skipIf(!node || !inspector).each(["legacy", "modern"])(
    "the Inspector gets the body as it is, era %s",
    async (era) => {
      const program = `${inspector}/node_modules/.bin/mcp-inspector`;
      const options = ["--method", "tools/call", "--tool-name", "list_traces", "--format", "json"];
      // It starts a server without its own environment.
      const credential = Object.entries({ AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: api.url });
      const toolArgs = credential.flatMap(([name, value]) => ["--tool-arg", `${name}=${value}`]);
      const args = [program, "--cli", ...(await start()), ...options, ...toolArgs];
      const { stdout } = await run(node ?? "", [...args, "--protocol-era", era], { env });

      expect(stdout).toContain(JSON.stringify(BODY));
    },
  );
});
