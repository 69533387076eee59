import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FaultServer } from "../api/fault-server.js";
import { apiKey, traceId } from "../api/scripts.js";
import { type Connection, MCP_CLI, openOverStdio } from "../mcp-client.js";
import { heal, openApis } from "./faults.js";
import { type Stage, silent, stages } from "./stages.js";

let built: Connection;
beforeAll(async () => {
  built = await openOverStdio();
});
afterAll(() => built.client.close());

const argumentsOf = ({ tool }: Stage, api: FaultServer) => ({
  ...(tool === "trace_detail" && { trace_id: traceId }),
  AGENTOPS_API_KEY: apiKey,
  AGENTOPS_API_URL: api.url,
});

test.concurrent.for(stages)(
  "a client that gives up $when ends all that was done for it",
  async (stage, { expect }) => {
    await using apis = await openApis();
    const { api } = apis;
    stage.script(api);
    const controller = new AbortController();
    const call = built.client.callTool(
      { name: stage.tool, arguments: argumentsOf(stage, api) },
      { signal: controller.signal },
    );
    call.catch(() => {});
    await expect.poll(() => stage.isReached(api)).toBe(true);
    controller.abort();

    await expect(call).rejects.toThrow();
    await expect.poll(() => api.inFlight).toBe(0);
    const madeByThen = api.requests.length;
    // As long as two further tries would take.
    await delay(700);
    expect(api.requests.length).toBe(madeByThen);

    heal(api);
    expect((await built.call(stage.tool, argumentsOf(stage, api))).isError).toBe(false);
  },
);

test("stdin that closes in the middle of a call ends the call, and the process with status 0", async () => {
  await using apis = await openApis();
  const { api } = apis;
  api.on("GET /v4/traces", silent);
  const env = { AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: api.url };
  const child = spawn(process.execPath, [MCP_CLI], { env, stdio: ["pipe", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += String(chunk);
  });
  for (const message of [initialize, initialized, callListTraces]) {
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  }
  await expect.poll(() => api.count("GET /v4/traces")).toBe(1);
  const exited = once(child, "exit");
  child.stdin.end();

  expect(await exited).toEqual([0, null]);
  expect(stderr).toBe("");
  await expect.poll(() => api.inFlight).toBe(0);
});

const initialize = {
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1.0.0" },
  },
};
const initialized = { method: "notifications/initialized" };
const callListTraces = {
  id: 2,
  method: "tools/call",
  params: { name: "list_traces", arguments: {} },
};
