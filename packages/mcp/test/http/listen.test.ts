import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openAgentOps } from "../../src/api/agentops.js";
import { type HttpLimits, listen } from "../../src/listen.js";
import { createMcpEndpoint } from "../../src/mcp-endpoint.js";
import { type FaultServer, openFaultServer } from "../api/fault-server.js";
import { apiKey, scriptBearerGeneration } from "../api/scripts.js";
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
  const options = { host: "127.0.0.1", port: 0, log: () => {}, now: () => performance.now() };
  const server = await listen(endpoint, { ...options, limits });
  onTestFinished(() => agentOps.close());
  return server;
}

/** `list_traces` of the protocol that every client still speaks; answered as one SSE event. */
function callListTraces(mcpUrl: string): Promise<Response> {
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
      params: { name: "list_traces", arguments: {} },
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

  test("ends calls that outlast the grace period", async () => {
    api.on(LIST, { delayMs: 60_000 });
    const server = await listenWith({ shutdownGraceMs: 100 });
    const underWay = callListTraces(`${server.url}/mcp`).then((response) => response.text());
    underWay.catch(() => {});
    await expect.poll(() => api.inFlight).toBe(1);
    await server.close();

    await expect(underWay).rejects.toThrow();
    await expect.poll(() => api.inFlight).toBe(0);
  });

  test("does not wait for connections that nobody uses", async () => {
    const server = await listenWith({});
    await (await fetch(`${server.url}/health`)).text();
    const startedAtMs = performance.now();
    await server.close();

    expect(performance.now() - startedAtMs).toBeLessThan(1_000);
  });
});
