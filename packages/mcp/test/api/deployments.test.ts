import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEPLOYMENT_TTL_MS } from "../../src/api/deployments.js";
import { type FaultServer, openFaultServer, routeNotFound } from "./fault-server.js";
import {
  apiKey,
  codeOf,
  detailOf,
  errorOf,
  never,
  openFor,
  projectId,
  scriptBearerGeneration,
  scriptPublicGeneration,
  summaryOf,
  traceId,
  traceNotFound,
  wantsSession,
} from "./scripts.js";

const LIST = "GET /v4/traces";
const PROJECT_LIST = `GET /v4/traces/list/${projectId}`;
const DETAIL = "GET /v4/traces/*";
const SESSION_DETAIL = "GET /v4/traces/detail/*";
const PUBLIC = "GET /public/v1/traces/*";

let server: FaultServer;

beforeEach(async () => {
  server = await openFaultServer();
});
afterEach(() => server[Symbol.asyncDispose]());

describe("a deployment whose v4 takes a bearer token", () => {
  beforeEach(() => scriptBearerGeneration(server));

  test("lists in one request", async () => {
    const answer = await openFor(server).client().listTraces({ limit: 5 }, never);
    const body = '{"traces":[],"total":0}';
    expect(answer).toEqual({ body, source: LIST, isOfKnownRuns: false });
    expect(server.log).toEqual(["POST /v3/auth/token", "GET /v4/traces?limit=5"]);
  });

  test("shows a trace in one request", async () => {
    const answer = await openFor(server).client().traceDetail(traceId, never);
    expect(answer).toEqual({
      body: JSON.stringify(detailOf(2)),
      source: "GET /v4/traces/{trace_id}",
    });
    expect(server.log).toEqual(["POST /v3/auth/token", `GET /v4/traces/${traceId}`]);
  });

  test.each([
    { detail: "Trace not found" },
    { detail: { error: "trace_not_found", message: "No trace" } },
    { error: "Trace not found." },
  ])("does not have the trace: %j", async (body) => {
    server.on(DETAIL, { status: 404, body });
    expect(await codeOf(openFor(server).client().traceDetail(traceId, never))).toBe("not_found");
    expect(server.log).toHaveLength(2);
  });
});

test("a deployment that wants the project as a parameter is given it", async () => {
  scriptBearerGeneration(server);
  server.on("GET /v4/traces", { status: 422 }, { body: { traces: [], total: 0 } });
  await openFor(server).client().listTraces({ limit: 5 }, never);

  expect(server.log.at(-1)).toBe(`GET /v4/traces?project_id=${projectId}&limit=5`);
});

describe("a deployment whose v4 is for signed-in users", () => {
  beforeEach(() => scriptPublicGeneration(server, 3));

  test("shows a trace through the public API, and is asked for the other routes only once", async () => {
    const { client } = openFor(server);
    await client().traceDetail(traceId, never);
    const found = server.requests.length;
    await client().traceDetail(traceId, never);

    expect(server.count(DETAIL)).toBe(1);
    expect(server.count(SESSION_DETAIL)).toBe(1);
    expect(server.requests.length - found).toBe(5);
  });

  test("is asked again after some minutes, because servers are upgraded", async () => {
    let nowMs = Date.now();
    const { client } = openFor(server, { now: () => nowMs });
    await client().traceDetail(traceId, never);
    nowMs += DEPLOYMENT_TTL_MS;
    await client().traceDetail(traceId, never);
    expect(server.count(DETAIL)).toBe(2);
  });

  test("gives everything to a configured session cookie", async () => {
    const isSignedIn =
      (answer: object) => (request: { headers: { cookie?: string | undefined } }) =>
        request.headers.cookie === "session_id=abc" ? answer : wantsSession;
    server.on(PROJECT_LIST, isSignedIn({ body: { traces: [] } }));
    server.on(SESSION_DETAIL, isSignedIn({ body: detailOf(3) }));

    const { agentOps } = openFor(server);
    const client = agentOps.client({ baseUrl: server.url, apiKey, sessionCookie: "abc" });
    const { source } = await client.listTraces({ limit: 5 }, never);
    expect(source).toBe("GET /v4/traces/list/{project_id}");
    const detail = await client.traceDetail(traceId, never);
    expect(detail.source).toBe("GET /v4/traces/detail/{trace_id}");
  });

  test("shows a trace that the signed-in user may not see but the key may", async () => {
    server.on(SESSION_DETAIL, { status: 404, body: { detail: "Project not found" } });
    const { agentOps } = openFor(server);
    const client = agentOps.client({ baseUrl: server.url, apiKey, sessionCookie: "abc" });
    expect((await client.getTrace(traceId, never)).spans).toHaveLength(3);
  });

  test("lists the runs that this machine knows, newest first", async () => {
    const knownTraceIds = async () => ["a", "gone", "b", "c"];
    server.on(PUBLIC, ({ path }) =>
      path.endsWith("gone")
        ? traceNotFound
        : { body: { ...summaryOf(3), trace_id: path.slice(-1) } },
    );
    const answer = await openFor(server, { knownTraceIds })
      .client()
      .listTraces({ limit: 3 }, never);
    const { traces, ...rest } = JSON.parse(answer.body);

    expect(rest).toEqual({ total: 3, limit: 3, source: "agentops.log" });
    expect(traces.map(({ trace_id }: { trace_id: string }) => trace_id)).toEqual(["a", "b"]);
    expect(traces[0]).toEqual({
      trace_id: "a",
      root_span_name: "default.session",
      start_time: "2025-08-20T09:15:02.000Z",
      end_time: "2025-08-20T09:15:06.887Z",
      duration: 4_887_664_000,
      span_count: 3,
      error_count: 0,
      tags: ["prod"],
    });
  });

  test("cannot list where no runs are known, and the error names every way out", async () => {
    const { client } = openFor(server);
    const error = await errorOf(client().listTraces({ limit: 5 }, never));
    expect(error.code).toBe("listing_unavailable");
    for (const way of ["trace_detail", "AGENTOPS_SESSION_COOKIE", "agentops-local"]) {
      expect(error.hint).toContain(way);
    }
    await errorOf(client().listTraces({ limit: 5 }, never));
    expect(server.count(PROJECT_LIST)).toBe(1);
  });

  test("that fails on every known run reports that failure", async () => {
    server.on(PUBLIC, { status: 500 });
    const knownTraceIds = async () => [traceId];
    const { client } = openFor(server, { knownTraceIds });
    expect(await codeOf(client().listTraces({ limit: 5 }, never))).toBe("server_error");
  });

  test("does not have the trace", async () => {
    server.on(PUBLIC, traceNotFound);
    expect(await codeOf(openFor(server).client().traceDetail(traceId, never))).toBe("not_found");
  });
});

describe("a deployment without any route for keys", () => {
  beforeEach(() => {
    scriptPublicGeneration(server, 3);
    server.on(PUBLIC, routeNotFound);
  });

  test("says so", async () => {
    const error = await errorOf(openFor(server).client().traceDetail(traceId, never));
    expect(error.code).toBe("forbidden");
    expect(error.hint).toContain("AGENTOPS_SESSION_COOKIE");
  });
});

test("a proxy that answers 404 for a while teaches nothing about the deployment", async () => {
  scriptBearerGeneration(server);
  server.on(DETAIL, { status: 404, body: "<html>no upstream</html>" }, { body: detailOf(2) });
  const { client } = openFor(server);
  expect(await codeOf(client().traceDetail(traceId, never))).toBe("forbidden");
  await client().traceDetail(traceId, never);
});

test("a route that refuses one trace is still asked for another", async () => {
  scriptPublicGeneration(server, 1);
  server.on(SESSION_DETAIL, { status: 403, body: { detail: "You do not have access" } });
  const { client } = openFor(server);
  await client().traceDetail(traceId, never);
  await client().traceDetail(traceId, never);
  expect(server.count(SESSION_DETAIL)).toBe(2);
});

describe("an id can only be one segment of a path", () => {
  test.each(["", ".", "..", "\ud800", "x".repeat(500)])(
    "%j is no id and is not sent",
    async (id) => {
      scriptBearerGeneration(server);
      const client = openFor(server).client();
      expect(await codeOf(client.traceDetail(id, never))).toBe("not_found");
      expect(await codeOf(client.getSpan({ spanId: id }, never))).toBe("not_found");
      expect(server.log.filter((line) => line.startsWith("GET"))).toEqual([]);
    },
  );

  test.each(["../../admin", "a/b", "a?limit=1", "a#b", "%2e%2e", "..\\..", "a\r\nb", "ü b", "$&"])(
    "%j stays one segment",
    async (id) => {
      scriptBearerGeneration(server);
      await openFor(server).client().traceDetail(id, never);
      expect(server.log.at(-1)).toBe(`GET /v4/traces/${encodeURIComponent(id)}`);
    },
  );
});

describe("capabilities", () => {
  test("are what /health says, asked once", async () => {
    server.on("GET /health", { body: { message: "Server Up", capabilities: ["search"] } });
    const { client } = openFor(server);
    expect(await client().capabilities(never)).toEqual(new Set(["search"]));
    expect(await client().capabilities(never)).toEqual(new Set(["search"]));
    expect(server.log).toEqual(["GET /health"]);
  });

  test("are asked again of a server that could not answer", async () => {
    server.on("GET /health", { status: 500 }, { body: { capabilities: ["search"] } });
    const { client } = openFor(server);
    expect(await client().capabilities(never)).toEqual(new Set());
    expect(await client().capabilities(never)).toEqual(new Set(["search"]));
  });

  test.each([{ body: { message: "Server Up" } }, { body: "up" }, routeNotFound, { status: 500 }])(
    "are none where the answer is %j",
    async (answer) => {
      server.on("GET /health", answer);
      expect(await openFor(server).client().capabilities(never)).toEqual(new Set());
    },
  );
});
