import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MAX_BODY_BYTES } from "../../src/http.js";
import { type FaultServer, openFaultServer } from "../api/fault-server.js";
import { apiKey, scriptBearerGeneration } from "../api/scripts.js";
import { ERAS } from "../mcp-client.js";
import { connectOverHttp, startHttp } from "./http-process.js";

const LIST = "GET /v4/traces";
const EXCHANGE = "POST /v3/auth/token";
const OTHER_KEY = "99999999-2222-4333-8444-555555555555";

let api: FaultServer;
let other: FaultServer;

beforeEach(async () => {
  [api, other] = await Promise.all([openFaultServer(), openFaultServer()]);
  for (const server of [api, other]) scriptBearerGeneration(server);
});
afterEach(() => Promise.all([api, other].map((server) => server[Symbol.asyncDispose]())));

/** The keys that reached a server, in order. */
function keysSentTo(server: FaultServer): string[] {
  const exchanges = server.requests.filter(({ path }) => path === "/v3/auth/token");
  return exchanges.map(({ body }) => JSON.parse(body).api_key);
}

describe.each(ERAS)("Streamable HTTP, protocol %o", (era) => {
  test("a key in a header reads, and the body comes back byte for byte", async () => {
    const { url } = await startHttp({ AGENTOPS_API_URL: api.url });
    const { call } = await connectOverHttp(url, { "X-Agentops-Api-Key": apiKey }, era);
    api.on(LIST, { body: '{"traces" : [ ],\r\n "total":0}' });

    expect(await call("list_traces")).toEqual({
      text: '{"traces" : [ ],\r\n "total":0}',
      isError: false,
    });
    expect(keysSentTo(api)).toEqual([apiKey]);
  });

  test("with a key in a header the tools ask for none", async () => {
    const { url } = await startHttp({ AGENTOPS_API_URL: api.url });
    const withKey = await connectOverHttp(url, { "X-Agentops-Api-Key": apiKey }, era);
    const without = await connectOverHttp(url, {}, era);

    expect((await withKey.client.listTools()).tools[0]?.inputSchema.required ?? []).toEqual([]);
    expect((await without.client.listTools()).tools[0]?.inputSchema.required).toEqual([
      "AGENTOPS_API_KEY",
    ]);
  });

  test("the trace that a call is part of goes on to AgentOps", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const { url } = await startHttp({ AGENTOPS_API_URL: api.url });
    const { client } = await connectOverHttp(url, { "X-Agentops-Api-Key": apiKey }, era);
    await client.callTool({
      name: "list_traces",
      arguments: {},
      _meta: { traceparent, tracestate: "congo=t61rcWkgMzE" },
    });
    await client.callTool({
      name: "list_traces",
      arguments: {},
      _meta: { traceparent: "00-not-a-trace\r\nx: y" },
    });

    const [first, second] = api.requests.filter(({ path }) => path.startsWith("/v4/traces"));
    expect(first?.headers).toMatchObject({ traceparent, tracestate: "congo=t61rcWkgMzE" });
    expect(second?.headers).not.toHaveProperty("traceparent");
  });

  test("a client that goes away stops the requests made for it", async () => {
    api.on(LIST, { delayMs: 60_000 });
    const { url } = await startHttp({ AGENTOPS_API_URL: api.url });
    const { client } = await connectOverHttp(url, { "X-Agentops-Api-Key": apiKey }, era);
    const controller = new AbortController();
    const call = client.callTool(
      { name: "list_traces", arguments: {} },
      { signal: controller.signal },
    );
    await expect.poll(() => api.inFlight).toBe(1);
    controller.abort();
    await client.close();

    await expect(call).rejects.toThrow();
    await expect.poll(() => api.inFlight).toBe(0);
  });
});

describe("whose key goes where", () => {
  const configuredUrl = () => ({ AGENTOPS_API_URL: api.url });

  test("a key in a header stays at the configured URL, whatever a call says", async () => {
    const { url } = await startHttp(configuredUrl());
    const { call } = await connectOverHttp(url, { "X-Agentops-Api-Key": apiKey });
    const { text } = await call("list_traces", { AGENTOPS_API_URL: other.url });

    expect(text).toMatch(/^url_not_allowed: /);
    expect(other.requests).toEqual([]);
  });

  test("a key in a header goes to the URL in the header beside it", async () => {
    const { url } = await startHttp({ ...configuredUrl(), AGENTOPS_ALLOWED_API_URLS: other.url });
    const headers = { "X-Agentops-Api-Key": apiKey, "X-Agentops-Api-Url": other.url };
    const { call } = await connectOverHttp(url, headers);

    expect((await call("list_traces")).isError).toBe(false);
    expect(keysSentTo(other)).toEqual([apiKey]);
    expect(api.requests).toEqual([]);
  });

  test("a URL in a header does not move the operator's key", async () => {
    const { url } = await startHttp({ ...configuredUrl(), AGENTOPS_API_KEY: apiKey });
    const { call } = await connectOverHttp(url, { "X-Agentops-Api-Url": other.url });

    expect((await call("list_traces")).text).toMatch(/^url_not_allowed: /);
    expect(other.requests).toEqual([]);
  });

  test.each([
    ["in a header", { "X-Agentops-Api-Url": "" }, {}],
    ["in a call", {}, { AGENTOPS_API_URL: "" }],
  ])(
    "private addresses that the operator did not name are refused %s",
    async (_, headers, args) => {
      const { url } = await startHttp(configuredUrl());
      const named = (given: object) =>
        Object.fromEntries(Object.keys(given).map((name) => [name, other.url]));
      const { call } = await connectOverHttp(url, named(headers));
      const { text } = await call("list_traces", { AGENTOPS_API_KEY: OTHER_KEY, ...named(args) });

      expect(text).toMatch(/^url_not_allowed: .*private/);
      expect(other.connectionCount).toBe(0);
    },
  );

  test("the operator's dashboard session answers for the operator's key alone", async () => {
    const { url } = await startHttp({
      ...configuredUrl(),
      AGENTOPS_API_KEY: apiKey,
      AGENTOPS_SESSION_COOKIE: "operator-session",
    });
    const cookies = () =>
      api.requests.filter(({ path }) => path.startsWith("/v4/")).map((sent) => sent.headers.cookie);

    const stranger = await connectOverHttp(url, { "X-Agentops-Api-Key": OTHER_KEY });
    await stranger.call("list_traces");
    const caller = await connectOverHttp(url);
    await caller.call("list_traces", { AGENTOPS_API_KEY: OTHER_KEY });
    expect(cookies()).toEqual([undefined, undefined]);

    await caller.call("list_traces");
    expect(cookies()[2]).toBe("session_id=operator-session");
  });

  test("MCP's own Authorization is never taken for an AgentOps key", async () => {
    const { url } = await startHttp(configuredUrl());
    const { call } = await connectOverHttp(url, { Authorization: `Bearer ${apiKey}` });

    expect((await call("list_traces")).text).toMatch(/^missing_api_key: [\s\S]*X-Agentops-Api-Key/);
    expect(api.count(EXCHANGE)).toBe(0);
  });
});

describe("who may speak to the server", () => {
  test.each([
    ["Host", "evil.example"],
    ["Origin", "https://evil.example"],
    ["Origin", "null"],
  ])("a %s of %s is refused with 403", async (header, value) => {
    const { url } = await startHttp();
    expect((await post(url, {}, { [header]: value })).status).toBe(403);
  });

  test("a name given by --allowed-host is accepted", async () => {
    const { url } = await startHttp({}, ["--allowed-host", "mcp.example"]);
    const headers = { Host: "mcp.example", Origin: "https://mcp.example" };
    expect((await post(url, ping(), headers)).status).toBe(200);
  });
});

describe("what the endpoint does not take", () => {
  test.each([
    ["a body that is too long", { ...ping(), padding: "x".repeat(MAX_BODY_BYTES) }, 413, -32_000],
    ["a body that is not JSON", "{", 400, -32_700],
    ["an empty body", "", 400, -32_700],
  ])("%s is answered with its status", async (_, body, status, code) => {
    const { url } = await startHttp();
    const answer = await post(url, body);

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body).error.code).toBe(code);
  });

  test("GET and DELETE are 405, because there are no sessions", async () => {
    const { url } = await startHttp();
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(405);
  });
});

test("a call of the older era is answered with one document, or a stream if it wants progress", async () => {
  const { url } = await startHttp();
  const { method, params, ...call } = listTracesCall();
  const withToken = { ...params, _meta: { progressToken: 1 } };
  const once = await post(url, { ...call, method, params });
  const inEvents = await post(url, { ...call, method, params: withToken });

  expect(once.headers["content-type"]).toBe("application/json");
  expect(inEvents.headers["content-type"]).toBe("text/event-stream");
  expect(inEvents.body).toContain(`data: ${once.body}\n`);
});

test("/health and /ready answer any host, and other paths say where MCP is", async () => {
  const { url } = await startHttp();
  const at = (path: string) => fetch(new URL(path, url));

  expect(await (await at("/health")).json()).toEqual({ status: "ok" });
  expect(await (await at("/ready")).json()).toEqual({ status: "ready" });
  expect(await (await at("/")).text()).toContain("/mcp");
  expect((await at("/")).status).toBe(404);
});

test("one request id joins the answer, the call and the request in the log", async () => {
  const server = await startHttp({ AGENTOPS_API_URL: api.url });
  const answer = await post(server.url, listTracesCall(), { "X-Agentops-Api-Key": apiKey });
  const requestId = answer.headers["x-request-id"];

  await expect
    .poll(() => server.log().filter((line) => line.requestId === requestId))
    .toEqual([
      {
        time: expect.any(String),
        level: "info",
        event: "tool_call",
        requestId,
        tool: "list_traces",
        code: "ok",
      },
      {
        time: expect.any(String),
        level: "info",
        event: "request",
        requestId,
        status: 200,
        durationMs: expect.any(Number),
      },
    ]);
  expect(answer.headers).not.toHaveProperty("mcp-session-id");
});

function ping() {
  return { jsonrpc: "2.0", id: 1, method: "ping" };
}

function listTracesCall() {
  return {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "list_traces", arguments: {} },
  };
}

/** A legacy request by hand: `fetch` would not let a test choose its Host. */
async function post(url: string, body: unknown, headers: Record<string, string> = {}) {
  const content = typeof body === "string" ? body : JSON.stringify(body);
  const request = httpRequest(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...headers,
    },
  });
  request.end(content);
  // `response` is emitted with exactly one argument.
  const [response]: IncomingMessage[] = await once(request, "response");
  if (!response) throw new Error("no response");
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}
