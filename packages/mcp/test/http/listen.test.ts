import { once } from "node:events";
import { connect } from "node:net";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openAgentOps } from "../../src/api/agentops.js";
import { type HttpLimits, listen } from "../../src/listen.js";
import { createMcpEndpoint } from "../../src/mcp-endpoint.js";
import { type FaultServer, openFaultServer } from "../api/fault-server.js";
import { apiKey, scriptBearerGeneration } from "../api/scripts.js";
import { connectionOf, ERAS } from "../mcp-client.js";
import { startHttp } from "./http-process.js";

const LIST = "GET /v4/traces";

let api: FaultServer;

beforeEach(async () => {
  api = await openFaultServer();
  scriptBearerGeneration(api);
});
afterEach(() => api[Symbol.asyncDispose]());

async function listenWith(limits: Partial<HttpLimits>) {
  const agentOps = openAgentOps({ userAgent: "test" });
  const endpoint = createMcpEndpoint({
    version: "0.0.0",
    agentOps,
    configured: { apiUrl: api.url, apiKey, allowedApiUrls: [] },
    limits: { maxRawTokens: 10_000 },
    allowedHostnames: ["127.0.0.1"],
    log: () => {},
  });
  const server = await listen(endpoint, {
    host: "127.0.0.1",
    port: 0,
    log: () => {},
    now: () => performance.now(),
    endCalls: () => void agentOps.close(),
    limits,
  });
  onTestFinished(() => agentOps.close());
  return server;
}

function callListTraces(mcpUrl: string): Promise<Response> {
  return callTool(mcpUrl, "list_traces", {});
}

/** By the protocol that every client still speaks; answered as one SSE event. */
function callTool(mcpUrl: string, name: string, args: object): Promise<Response> {
  return fetch(mcpUrl, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name, arguments: args },
    }),
  });
}

describe("limits", () => {
  test("one request more than the limit is told to come back, and one less is not", async () => {
    api.on(LIST, { delayMs: 300, body: { traces: [], total: 0 } });
    const server = await listenWith({ maxRequestsInFlight: 2 });
    onTestFinished(() => server.close());

    const underWay = [1, 2].map(() => callListTraces(`${server.url}/mcp`));
    await expect.poll(() => api.inFlight).toBe(2);
    const refused = await callListTraces(`${server.url}/mcp`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await fetch(`${server.url}/health`)).status).toBe(200);

    for (const response of await Promise.all(underWay))
      expect(await response.text()).toContain("traces");
    expect((await callListTraces(`${server.url}/mcp`)).status).toBe(200);
  });

  test("one connection more than the limit is closed", async () => {
    const server = await listenWith({ maxConnections: 1 });
    onTestFinished(() => server.close());
    const { hostname, port } = new URL(server.url);
    const open = () => {
      const socket = connect(Number(port), hostname);
      onTestFinished(() => void socket.destroy());
      return socket;
    };
    const first = open();
    await once(first, "connect");
    const second = open();

    await once(second.resume(), "close");
    first.write("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    expect(String((await once(first, "data"))[0])).toMatch(/^HTTP\/1.1 200 /);
  });

  test("a client that never finishes its request is cut off", async () => {
    const server = await listenWith({ headersTimeoutMs: 200, requestTimeoutMs: 200 });
    onTestFinished(() => server.close());
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write("POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{");

    const [answer] = await once(socket, "data");
    expect(String(answer)).toMatch(/^HTTP\/1.1 408 /);
  });
});

describe("shutdown", () => {
  test("finishes calls under way, takes no new ones, and ends with status 0", async () => {
    api.on(LIST, { delayMs: 500, body: { traces: [], total: 0 } });
    const { url, child } = await startHttp({ AGENTOPS_API_URL: api.url, AGENTOPS_API_KEY: apiKey });
    const underWay = callListTraces(url);
    await expect.poll(() => api.inFlight).toBe(1);
    const exited = once(child, "exit");
    child.kill("SIGTERM");

    await expect.poll(() => fetch(url).catch(() => "refused")).toBe("refused");
    expect(await (await underWay).text()).toContain("traces");
    expect(await exited).toEqual([0, null]);
  });

  test.each(ERAS)("calls that outlast the grace period are told so, %o", async (mode) => {
    api.on(LIST, { delayMs: 60_000 });
    const server = await listenWith({ shutdownGraceMs: 100 });
    const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
    const underWay = connectionOf(client).call("list_traces");
    await expect.poll(() => api.inFlight).toBe(1);
    await server.close();

    expect(await underWay).toMatchObject({
      isError: true,
      text: "cancelled: The server is stopping.\nCall again in a few seconds, if it comes back.",
    });
    await expect.poll(() => api.inFlight).toBe(0);
  });

  test("a call that waits for a trace is told so too", async () => {
    const server = await listenWith({ shutdownGraceMs: 100 });
    const underWay = callTool(`${server.url}/mcp`, "wait_for_trace", {
      trace_id: "0123456789abcdef0123456789abcdef",
    });
    await expect.poll(() => api.requests.length).toBeGreaterThan(1);
    await server.close();

    expect(await (await underWay).text()).toContain("cancelled: The server is stopping.");
  });

  test("does not wait for connections that nobody uses", async () => {
    const server = await listenWith({});
    await (await fetch(`${server.url}/health`)).text();
    const startedAtMs = performance.now();
    await server.close();

    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });
});
