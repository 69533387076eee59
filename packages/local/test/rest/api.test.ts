import { readFile, stat } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_JSON_BYTES } from "../../src/rest/json-body.js";
import {
  answer,
  defaultKey,
  defaultProjectId,
  fetchToken,
  postJson,
  startTestServer,
  type TestServer,
} from "../harness.js";
import { exportOf, newTraceId, START_UNIX_NANO, spanAt, text, toJson } from "../otlp-message.js";

// support.session ├──────────────────────────┤ 0–400 ms, tags
//   chat            ├────────┤                 10–110 ms, OK, tokens and cost
//   lookup.tool                ├───┤           120–150 ms, ERROR
//   late.task                       ├────────────────┤  300–700 ms: outlives its parent
const traceId = newTraceId();
const [rootId, chatId, toolId, lateId] = ["a1", "b2", "c3", "d4"].map((id) => id.repeat(8)) as [
  string,
  string,
  string,
  string,
];

const chatAttributes = [
  text("gen_ai.prompt.0.content", "Hello"),
  text("gen_ai.prompt.0.role", "user"),
  text("gen_ai.request.model", "gpt-4o-mini"),
  text("gen_ai.usage.prompt_cost", "0.00000135"),
  text("gen_ai.usage.completion_cost", "1.2e-06"),
  { key: "gen_ai.usage.prompt_tokens", value: { intValue: 9 } },
  { key: "gen_ai.usage.completion_tokens", value: { intValue: 2 } },
  { key: "gen_ai.usage.cache_read_input_tokens", value: { intValue: 4 } },
];

const supportTrace = exportOf(
  spanAt(300, 400, { traceId, spanId: lateId, parentSpanId: rootId, name: "late.task" }),
  spanAt(120, 30, {
    traceId,
    spanId: toolId,
    parentSpanId: rootId,
    name: "lookup.tool",
    attributes: [text("agentops.span.kind", "tool"), text("agentops.tool.input", "{}")],
    events: [
      {
        timeUnixNano: String(START_UNIX_NANO),
        name: "exception",
        attributes: [text("exception.type", "KeyError")],
      },
    ],
    status: { code: 2, message: "KeyError: 'x'" },
  }),
  spanAt(10, 100, {
    traceId,
    spanId: chatId,
    parentSpanId: rootId,
    name: "openai.chat.completion",
    kind: 3,
    attributes: chatAttributes,
    status: { code: 1 },
  }),
  spanAt(0, 400, {
    traceId,
    spanId: rootId,
    name: "support.session",
    attributes: [text("agentops.tags", '["prod","support"]')],
  }),
);

const traceMetrics = {
  span_count: 4,
  trace_count: 1,
  success_count: 1,
  fail_count: 1,
  indeterminate_count: 2,
  prompt_tokens: 9,
  completion_tokens: 2,
  cache_read_input_tokens: 4,
  reasoning_tokens: 0,
  total_tokens: 11,
  prompt_cost: "0.0000013",
  completion_cost: "0.0000012",
  average_cost_per_trace: "0.0000026",
  total_cost: "0.0000026",
  unpriced_count: 0,
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const headers = { "content-type": "application/json" };
  await fetch(`${server.url}/v1/traces`, { method: "POST", headers, body: toJson(supportTrace) });
});
afterAll(() => server.close());

describe("tokens", () => {
  test("the SDKs' exchange answers token, project and plan", async () => {
    const { status, body } = await postJson(`${server.url}/v3/auth/token`, { api_key: defaultKey });
    expect(status).toBe(200);
    expect(body).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      project_id: defaultProjectId,
      project_prem_status: "pro",
    });

    const claims = JSON.parse(Buffer.from(body.token.split(".")[1], "base64url").toString());
    expect(claims).toEqual({
      aud: "authenticated",
      exp: expect.any(Number),
      project_id: defaultProjectId,
      project_prem_status: "pro",
      api_key: defaultKey,
    });
    const days = (claims.exp - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThanOrEqual(30);
  });

  test("the public API's exchange answers a bearer", async () => {
    const answer = await postJson(`${server.url}/public/v1/auth/access_token`, {
      api_key: defaultKey,
    });
    expect(answer).toEqual({ status: 200, body: { bearer: expect.any(String) } });
  });

  test.each([
    ["in upper case", defaultKey.toUpperCase()],
    ["without dashes", defaultKey.replaceAll("-", "")],
    ["in braces", `{${defaultKey}}`],
    ["as a URN", `urn:uuid:${defaultKey}`],
  ])("a key %s is the same key", async (_name, apiKey) => {
    expect((await postJson(`${server.url}/v3/auth/token`, { api_key: apiKey })).status).toBe(200);
  });

  const unknownKey = "00000000-0000-4000-8000-000000000000";
  const missing = { type: "missing", loc: ["body", "api_key"], msg: "Field required", input: null };
  test.each([
    ["/v3/auth/token", { api_key: "nonsense" }, 400, { error: "Invalid API key format" }],
    ["/v3/auth/token", { api_key: "" }, 400, { error: "Invalid API key format" }],
    ["/v3/auth/token", { api_key: unknownKey }, 403, { error: "Invalid API key" }],
    ["/v3/auth/token", {}, 422, { detail: [missing] }],
    [
      "/v3/auth/token",
      { api_key: 5 },
      422,
      { detail: [{ ...missing, type: "string_type", msg: "Input should be a valid string" }] },
    ],
    ["/public/v1/auth/access_token", { api_key: "x" }, 400, { detail: "Invalid api_key format" }],
    ["/public/v1/auth/access_token", { api_key: "" }, 400, { detail: "api_key is required" }],
    ["/public/v1/auth/access_token", { api_key: unknownKey }, 404, { detail: "Project not found" }],
    ["/public/v1/auth/access_token", {}, 422, { detail: [missing] }],
  ])("POST %s with %j is refused with %i", async (path, body, status, expected) => {
    expect(await postJson(server.url + path, body)).toEqual({ status, body: expected });
  });

  const invalid = { type: "json_invalid", ctx: { error: "Invalid JSON" } };
  const noObject = { type: "model_attributes_type", loc: ["body"] };
  test.each([
    ["{", "application/json", { ...invalid, loc: ["body", 1] }],
    ['{"api_key":"a"} x', "application/json", { ...invalid, loc: ["body", 16] }],
    [defaultKey, "application/json", { ...invalid, loc: ["body", expect.any(Number)] }],
    ["[]", "application/json", noObject],
    ["5", "application/json", noObject],
    ["null", "application/json", noObject],
    ["", "application/json", { type: "missing", loc: ["body"] }],
    ["api_key=x", "application/x-www-form-urlencoded", noObject],
  ])("a body of %j as %s is a 422 that does not repeat it", async (body, contentType, entry) => {
    const headers = { "content-type": contentType };
    const response = await fetch(`${server.url}/v3/auth/token`, { method: "POST", body, headers });
    expect(await answer(response)).toEqual({
      status: 422,
      body: { detail: [{ msg: expect.any(String), input: null, ...entry }] },
    });
  });

  test.each([["/v3/auth/token"], ["/public/v1/auth/access_token"]])(
    "a body past the limit is refused at %s, announced or not",
    async (path) => {
      const text = JSON.stringify({ api_key: defaultKey, more: "x".repeat(MAX_JSON_BYTES) });
      const headers = { "content-type": "application/json" };
      for (const body of [text, new Blob([text]).stream()]) {
        const init = { method: "POST", body, headers, duplex: "half" } as const;
        expect((await fetch(server.url + path, init)).status).toBe(413);
      }
    },
  );

  test("the signing secret is readable by its owner only", async () => {
    const { mode, size } = await stat(join(server.dataDir, "jwt-secret"));
    expect(mode & 0o777).toBe(0o600);
    expect(size).toBe(32);
  });
});

describe("what a bad token gets", () => {
  async function expiredToken() {
    const secret = await readFile(join(server.dataDir, "jwt-secret"));
    return await new SignJWT({ project_id: defaultProjectId })
      .setProtectedHeader({ alg: "HS256" })
      .setAudience("authenticated")
      .setExpirationTime(1)
      .sign(secret);
  }

  const missing = { detail: "Missing or invalid Authorization header" };
  const invalid = { detail: "Invalid Bearer token" };

  test.each([
    ["/public/v1/project", undefined, 400, missing],
    ["/public/v1/project", "bearer x", 400, missing],
    ["/public/v1/project", "Bearer x", 400, invalid],
    ["/public/v1/traces/x", "Bearer x", 400, invalid],
    ["/public/v1/traces/x/metrics", undefined, 400, missing],
    ["/public/v1/spans/x", undefined, 400, missing],
    ["/public/v1/spans/x/metrics", "Bearer x", 400, invalid],
    ["/v4/traces", undefined, 401, { detail: "User is not authenticated." }],
    ["/v4/traces/x", undefined, 401, { detail: "User is not authenticated." }],
    ["/v4/traces", "Bearer x", 401, { detail: "Invalid token" }],
    ["/v4/traces/detail/x", "bearer x", 401, { detail: "Invalid token" }],
    [
      `/v4/traces/list/${defaultProjectId}`,
      undefined,
      401,
      { detail: "User is not authenticated." },
    ],
  ])("%s with %s", async (path, authorization, status, body) => {
    const response = await server.get(path, authorization ? { authorization } : {});
    expect(await answer(response)).toEqual({ status, body });
  });

  test("as session cookie is told apart from one as Bearer", async () => {
    const detailOf = async (token: string) =>
      await answer(await server.get("/v4/traces", { cookie: `session_id=${token}` }));
    expect(await detailOf("x")).toEqual({
      status: 401,
      body: { detail: "Could not decode internal session JWT." },
    });
    expect(await detailOf(await expiredToken())).toEqual({
      status: 401,
      body: { detail: "User's session has expired." },
    });
  });

  test("an expired one", async () => {
    const authorization = `Bearer ${await expiredToken()}`;
    expect(await answer(await server.get("/public/v1/project", { authorization }))).toEqual({
      status: 400,
      body: invalid,
    });
    expect(await answer(await server.get("/v4/traces", { authorization }))).toEqual({
      status: 401,
      body: { detail: "Token has expired" },
    });
  });
});

describe("the public API", () => {
  test("answers the token's project", async () => {
    expect(await server.read("/public/v1/project")).toEqual({
      status: 200,
      body: { id: defaultProjectId, name: "default", environment: "development" },
    });
  });

  test("answers a trace with its spans by start time, without attributes", async () => {
    const { status, body } = await server.read(`/public/v1/traces/${traceId}`);
    expect(status).toBe(200);
    expect(body).toEqual({
      trace_id: traceId,
      project_id: defaultProjectId,
      tags: ["prod", "support"],
      spans: [
        expect.objectContaining({ span_id: rootId }),
        {
          span_id: chatId,
          parent_span_id: rootId,
          span_name: "openai.chat.completion",
          span_kind: "Client",
          start_time: "2026-01-02T03:04:05.133456+00:00",
          end_time: "2026-01-02T03:04:05.233456+00:00",
          duration: 100_000_000,
          status_code: "OK",
          status_message: "",
        },
        expect.objectContaining({ span_id: toolId }),
        expect.objectContaining({ span_id: lateId }),
      ],
    });
  });

  test("answers a trace's metrics", async () => {
    const answer = await server.read(`/public/v1/traces/${traceId}/metrics`);
    expect(answer).toEqual({ status: 200, body: traceMetrics });
  });

  test("answers a span with nested attributes", async () => {
    expect(await server.read(`/public/v1/spans/${chatId}`)).toEqual({
      status: 200,
      body: {
        span_id: chatId,
        parent_span_id: rootId,
        span_name: "openai.chat.completion",
        span_kind: "Client",
        service_name: "agentops",
        start_time: "2026-01-02T03:04:05.133456+00:00",
        end_time: "2026-01-02T03:04:05.233456+00:00",
        duration: 100_000_000,
        status_code: "OK",
        status_message: "",
        attributes: {},
        resource_attributes: {
          ProjectId: defaultProjectId,
          agentops: { project: { id: defaultProjectId } },
          service: { name: "agentops" },
        },
        span_attributes: {
          gen_ai: {
            prompt: [{ content: "Hello", role: "user" }],
            request: { model: "gpt-4o-mini" },
            usage: {
              cache_read_input_tokens: "4",
              completion_cost: "1.2e-06",
              completion_tokens: "2",
              prompt_cost: "0.00000135",
              prompt_tokens: "9",
            },
          },
        },
      },
    });
  });

  test("answers a span's metrics, zeros for one without any", async () => {
    const zeros = { prompt_tokens: 0, total_tokens: 0, fail_tokens: 0, total_cost: "0.0000000" };
    expect((await server.read(`/public/v1/spans/${toolId}/metrics`)).body).toMatchObject(zeros);
    expect(await server.read(`/public/v1/spans/${chatId}/metrics`)).toEqual({
      status: 200,
      body: {
        prompt_tokens: 9,
        completion_tokens: 2,
        cache_read_input_tokens: 4,
        reasoning_tokens: 0,
        total_tokens: 11,
        success_tokens: 11,
        fail_tokens: 0,
        indeterminate_tokens: 0,
        prompt_cost: "0.0000013",
        completion_cost: "0.0000012",
        total_cost: "0.0000026",
      },
    });
  });

  test.each([
    ["/public/v1/traces/unknown", "Trace not found"],
    ["/public/v1/traces/unknown/metrics", "Trace not found"],
    ["/public/v1/spans/unknown", "Span not found"],
    ["/public/v1/spans/unknown/metrics", "Span not found"],
    ["/v4/traces/unknown", "Trace not found."],
    ["/v4/traces/detail/unknown", "Trace not found."],
    ["/v4/traces/list/00000000-0000-4000-8000-000000000000", "Project not found"],
    // Ids match exactly.
    [`/public/v1/spans/${chatId.toUpperCase()}`, "Span not found"],
    ["/public/v1/traces/", "Not Found"],
    ["/nowhere", "Not Found"],
  ])("GET %s is a 404", async (path, detail) => {
    expect(await server.read(path)).toEqual({ status: 404, body: { detail } });
  });
});

describe("a whole trace", () => {
  test.each(["/v4/traces/", "/v4/traces/detail/"])("is answered at %s", async (path) => {
    const { status, body } = await server.read(path + traceId);
    expect(status).toBe(200);
    expect(body).toEqual({
      freeplan_truncated: false,
      project_id: defaultProjectId,
      trace_id: traceId,
      tags: ["prod", "support"],
      metrics: traceMetrics,
      spans: expect.any(Array),
    });
    expect(body.spans).toHaveLength(4);
    expect(body.spans.map((span: { span_type: string }) => span.span_type)).toEqual([
      "other",
      "request",
      "tool",
      null,
    ]);
    expect(body.spans[1].metrics).toMatchObject({ total_tokens: 11, success_tokens: 11 });
    expect(body.spans[2]).toEqual({
      freeplan_truncated: false,
      span_id: toolId,
      parent_span_id: rootId,
      span_name: "lookup.tool",
      span_kind: "Unspecified",
      span_type: "tool",
      service_name: "agentops",
      start_time: "2026-01-02T03:04:05.243456+00:00",
      end_time: "2026-01-02T03:04:05.273456+00:00",
      duration: 30_000_000,
      status_code: "ERROR",
      status_message: "KeyError: 'x'",
      attributes: {},
      resource_attributes: expect.any(Object),
      span_attributes: { agentops: { span: { kind: "tool" }, tool: { input: "{}" } } },
      event_timestamps: ["2026-01-02T03:04:05.123456"],
      event_names: ["exception"],
      event_attributes: [{ "exception.type": "KeyError" }],
      link_trace_ids: [],
      link_span_ids: [],
      link_trace_states: [],
      link_attributes: [],
      metrics: null,
    });
  });

  test("has the fields of its spans in the order that AgentOps writes them", async () => {
    const { body } = await server.read(`/v4/traces/${traceId}`);
    expect(Object.keys(body)).toEqual(
      "freeplan_truncated project_id trace_id tags metrics spans".split(" "),
    );
    expect(Object.keys(body.spans[0]).join(" ")).toBe(
      "freeplan_truncated span_id parent_span_id span_name span_kind span_type service_name start_time end_time duration status_code status_message attributes resource_attributes span_attributes event_timestamps event_names event_attributes link_trace_ids link_span_ids link_trace_states link_attributes metrics",
    );
  });

  test("may be read with the token as session cookie", async () => {
    const cookie = `session_id=${await fetchToken(server.url)}`;
    expect((await server.get(`/v4/traces/detail/${traceId}`, { cookie })).status).toBe(200);
  });
});

describe("the server", () => {
  test("says at /health that it is up, which version it is and what it can do", async () => {
    expect(await answer(await server.get("/health"))).toEqual({
      status: 200,
      body: {
        message: "Server Up",
        version: expect.any(String),
        instance: expect.any(String),
        capabilities: ["spans.search", "spans.metrics"],
        database: { kind: "embedded", version: expect.stringMatching(/^\d+\./) },
        refused_keys: expect.any(Number),
        anonymous_exports: expect.any(Number),
      },
    });
  });

  test("says at the link that AgentOps' SDKs print how a trace is read, there being no dashboard", async () => {
    const found = await server.get(`/sessions?trace_id=${traceId}`);
    expect([found.status, found.headers.get("content-type")]).toEqual([
      200,
      expect.stringContaining("text/plain"),
    ]);
    const text = await found.text();
    expect(text).toContain(`MCP at ${server.url}/mcp`);
    expect(text).toContain(`curl ${server.url}/v4/traces/${traceId} `);
    for (const query of ["", "?trace_id=1", `?trace_id=${traceId}%0aelsewhere`]) {
      const refused = await server.get(`/sessions${query}`);
      expect([refused.status, await refused.text()]).toEqual([
        400,
        expect.stringMatching(/^trace_id must be/),
      ]);
    }
  });

  test("answers HEAD, like any other verb that is not there, with 405", async () => {
    const response = await fetch(`${server.url}/v4/traces`, { method: "HEAD" });
    expect(response.status).toBe(405);
  });

  test("answers another verb with 405 and forbids caching", async () => {
    const response = await fetch(`${server.url}/v4/traces`, { method: "DELETE" });
    expect(await response.clone().json()).toEqual({ detail: "Method Not Allowed" });
    expect(response.status).toBe(405);
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  test.each(["/health", "/nowhere", "/v4/traces", "/public/v1/project", "/v2/sessions/1/stats"])(
    "lets nobody keep the answer of %s, be it an error",
    async (path) => {
      const { headers } = await server.get(path);
      expect(headers.get("cache-control")).toBe("no-store, no-cache, must-revalidate, max-age=0");
      expect(headers.get("pragma")).toBe("no-cache");
      expect(headers.get("expires")).toBe("0");
    },
  );

  test("answers on loopback only to a loopback name, so that no web page can rebind its own", async () => {
    const { hostname, port } = new URL(server.url);
    const status = await new Promise((resolve, reject) => {
      const headers = { host: "attacker.example" };
      request({ hostname, port, path: "/health", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    expect(status).toBe(403);
  });
});

test("who opens the server in a browser is told what is there", async () => {
  const response = await server.get("/");
  expect(response.status).toBe(200);
  expect(await response.text()).toContain(`MCP           ${server.url}/mcp`);
});

describe("a page of another site", () => {
  const post = (path: string, headers: Record<string, string>) =>
    fetch(server.url + path, { method: "POST", headers, body: "{}" });

  test.each(["/v4/objects/upload/", "/v4/logs/upload/", "/v1/traces", "/v3/auth/token"])(
    "sends nothing to %s",
    async (path) => {
      for (const origin of ["https://example.com", "null", `${server.url}.example.com`]) {
        const { status, body } = await answer(
          await post(path, { origin, "content-type": "text/plain" }),
        );
        expect(status).toBe(403);
        expect(body.detail).toContain("Pages of other sites");
      }
    },
  );

  test("is not told that it may send Authorization", async () => {
    const headers = {
      origin: "https://example.com",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    };
    const response = await fetch(`${server.url}/v1/traces`, { method: "OPTIONS", headers });
    expect([...response.headers.keys()].join()).not.toContain("access-control-allow");
  });

  test("is none where it is of this machine, or has a token", async () => {
    const ofMachine = await post("/v4/objects/upload/", { origin: "http://localhost:3000" });
    expect(ofMachine.status).toBe(200);
    const authorization = `Bearer ${await fetchToken(server.url)}`;
    const withToken = await post("/v4/objects/upload/", { origin: "app://agent", authorization });
    expect(withToken.status).toBe(200);
  });
});

test.each(["/v2/sessions/1/stats", "/v2/create_session", "/v1/sessions", "/v1/events"])(
  "%s is gone, and says what came instead",
  async (path) => {
    for (const method of ["GET", "POST"]) {
      const { status, body } = await answer(await fetch(server.url + path, { method }));
      expect(status).toBe(410);
      expect(body.path).toBe(path);
      expect(body.message).toContain("/v4/traces");
    }
  },
);
