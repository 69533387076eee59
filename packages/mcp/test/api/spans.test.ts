import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { QUIET_MS } from "../../src/api/trace-cache.js";
import { type FaultServer, openFaultServer, routeNotFound } from "./fault-server.js";
import {
  codeOf,
  detailOf,
  never,
  openFor,
  scriptBearerGeneration,
  scriptPublicGeneration,
  spanDetail,
  spanSummary,
  summaryOf,
  traceId,
} from "./scripts.js";

const SPAN = "GET /public/v1/spans/*";
const METRICS = "GET /public/v1/traces/*/metrics";

let server: FaultServer;

beforeEach(async () => {
  server = await openFaultServer();
});
afterEach(() => server[Symbol.asyncDispose]());

describe("a trace that is read span by span", () => {
  test("has the shape of a detail answer, with every attribute", async () => {
    scriptPublicGeneration(server, 3);
    const { body } = await openFor(server).client().traceDetail(traceId, never);
    expect(JSON.parse(body)).toEqual({
      ...summaryOf(3),
      metrics: { span_count: 3, total_cost: "0.0003879" },
      spans: [spanDetail(0), spanDetail(1), spanDetail(2)],
    });
  });

  // Tried again where other work held up this machine: the bound is on waiting, not on computing.
  test("of 200 spans at 100 ms latency takes 202 requests and at most 8 times one request", {
    retry: 2,
  }, async () => {
    scriptPublicGeneration(server, 200);
    const { client } = openFor(server);
    await client().traceDetail(traceId, never);
    const found = server.requests.length;
    delayEveryRead(200, 100);

    const started = performance.now();
    const { body } = await client().traceDetail(traceId, never);
    expect(performance.now() - started).toBeLessThan(800);
    expect(JSON.parse(body).spans).toHaveLength(200);
    expect(server.requests.length - found).toBe(202);
  });

  function delayEveryRead(spanCount: number, delayMs: number): void {
    server.on("GET /public/v1/traces/*", { body: summaryOf(spanCount), delayMs });
    server.on(METRICS, { body: {}, delayMs });
    server.on(SPAN, ({ path }) => ({ body: spanDetail(Number(path.split("-").at(-1))), delayMs }));
  }

  test("asks for each span once, even one that the server lists twice", async () => {
    scriptPublicGeneration(server, 2);
    const spans = [spanSummary(0), spanSummary(1), spanSummary(1)];
    server.on("GET /public/v1/traces/*", { body: { ...summaryOf(0), spans } });
    const { body } = await openFor(server).client().traceDetail(traceId, never);
    expect(JSON.parse(body).spans).toHaveLength(2);
    expect(server.count(SPAN)).toBe(2);
  });

  test("survives spans that fail, and names them", async () => {
    scriptPublicGeneration(server, 4);
    const answers = [
      { body: spanDetail(0) },
      { status: 500 },
      { status: 404, body: { detail: "Span not found" } },
      { body: "<" },
    ];
    server.on(SPAN, ({ path }) => answers[Number(path.split("-").at(-1))] ?? {});

    const { body } = await openFor(server).client().traceDetail(traceId, never);
    const { spans, span_errors } = JSON.parse(body);
    expect(spans).toEqual([spanDetail(0), spanSummary(1), spanSummary(2), spanSummary(3)]);
    expect(span_errors).toHaveLength(3);
    expect(span_errors).toEqual(
      expect.arrayContaining([
        { span_id: "span-1", code: "server_error" },
        { span_id: "span-2", code: "not_found" },
        { span_id: "span-3", code: "bad_response" },
      ]),
    );
  });

  test("survives metrics that the server cannot compute", async () => {
    scriptPublicGeneration(server, 1);
    server.on(METRICS, { status: 500 });
    const { body } = await openFor(server).client().traceDetail(traceId, never);
    expect(JSON.parse(body).metrics).toBeNull();
  });

  test("gives what it got by the deadline", async () => {
    scriptPublicGeneration(server, 10);
    server.on(SPAN, ({ path }) => ({
      body: spanDetail(Number(path.split("-").at(-1))),
      delayMs: path.endsWith("-9") ? 5_000 : 0,
    }));
    const { client } = openFor(server, { limits: { callDeadlineMs: 1_000 } });
    const { spans, span_errors } = JSON.parse((await client().traceDetail(traceId, never)).body);
    expect(spans).toHaveLength(10);
    expect(span_errors).toEqual([{ span_id: "span-9", code: "timeout" }]);
  });

  test("is bounded in all its bodies together", async () => {
    scriptPublicGeneration(server, 20);
    const limits = { maxResponseBytes: 6_000, maxInFlightPerOrigin: 1 };
    const { body } = await openFor(server, { limits }).client().traceDetail(traceId, never);
    const codes = new Set(JSON.parse(body).span_errors.map(({ code }: { code: string }) => code));
    expect(codes).toEqual(new Set(["response_too_large"]));
  });

  test("stops when the caller cancels", async () => {
    scriptPublicGeneration(server, 50);
    server.on(SPAN, { body: spanDetail(0), delayMs: 200 });
    const controller = new AbortController();
    const { client } = openFor(server, { limits: { maxInFlightPerOrigin: 4 } });
    const read = client().traceDetail(traceId, controller.signal);
    await expect.poll(() => server.count(SPAN)).toBeGreaterThan(0);
    controller.abort();
    expect(await codeOf(read)).toBe("cancelled");
    const sent = server.count(SPAN);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(server.count(SPAN)).toBe(sent);
  });

  test("slows down for a server that says it is too much", async () => {
    scriptPublicGeneration(server, 60);
    let isTooMuch = 0;
    server.on(SPAN, ({ path }) => {
      const index = Number(path.split("-").at(-1));
      isTooMuch += 1;
      return isTooMuch % 8 === 0 ? { status: 429 } : { body: spanDetail(index), delayMs: 5 };
    });
    const { body } = await openFor(server).client().traceDetail(traceId, never);
    expect(JSON.parse(body).span_errors).toBeUndefined();
  });

  test("does not hold up a call that comes later", async () => {
    scriptPublicGeneration(server, 100);
    server.on(SPAN, { body: spanDetail(0), delayMs: 50 });
    const { client } = openFor(server, { limits: { maxInFlightPerOrigin: 4 } });
    const whole = client().traceDetail(traceId, never);
    await expect.poll(() => server.count(SPAN)).toBeGreaterThan(4);

    await client().getTraceMetrics(traceId, never);
    expect(server.count(SPAN)).toBeLessThan(40);
    await whole;
  });
});

describe("getTrace", () => {
  test("answers a finished trace from memory, for the same key only", async () => {
    scriptBearerGeneration(server);
    const { agentOps, client } = openFor(server);
    const trace = await client().getTrace(traceId, never);
    expect(await client().getTrace(traceId, never)).toBe(trace);
    expect(server.count("GET /v4/traces/*")).toBe(1);

    await client("another-key").getTrace(traceId, never);
    expect(server.count("GET /v4/traces/*")).toBe(2);
    agentOps.close();
    expect(await codeOf(client().getTrace(traceId, never))).toBe("cancelled");
  });

  test.each([
    ["ended a moment ago", { ...detailOf(2) }, Date.parse("2025-08-20T09:15:06.9Z") + QUIET_MS / 2],
    ["has no root span yet", { ...detailOf(0), spans: [spanDetail(1)] }, Date.now()],
    ["misses a span that could not be read", null, Date.now()],
  ])("reads a trace again that %s", async (_, body, nowMs) => {
    scriptPublicGeneration(server, 2);
    if (body) server.on("GET /v4/traces/*", { body });
    else server.on("GET /public/v1/spans/span-1", { status: 500 });

    const { client } = openFor(server, { now: () => nowMs });
    await client().getTrace(traceId, never);
    const requests = server.requests.length;
    await client().getTrace(traceId, never);
    expect(server.requests.length).toBeGreaterThan(requests);
  });
});

describe("one span", () => {
  test("is read by its own route", async () => {
    scriptPublicGeneration(server, 2);
    const span = await openFor(server).client().getSpan({ spanId: "span-1" }, never);
    expect(span).toMatchObject({ spanId: "span-1", attributes: { "step.index": "1" } });
    expect(server.log).toEqual(["POST /v3/auth/token", "GET /public/v1/spans/span-1"]);
  });

  test("comes out of its trace where there is no such route", async () => {
    scriptBearerGeneration(server);
    const client = openFor(server).client();
    const span = await client.getSpan({ spanId: "span-1", traceId }, never);
    expect(span.spanId).toBe("span-1");
    expect(await codeOf(client.getSpan({ spanId: "span-9", traceId }, never))).toBe("not_found");
    expect(await codeOf(client.getSpan({ spanId: "span-1" }, never))).toBe("not_found");
  });
});

describe("trace metrics", () => {
  test("are read by their own route, costs from decimal text", async () => {
    scriptPublicGeneration(server, 2);
    const metrics = await openFor(server).client().getTraceMetrics(traceId, never);
    expect(metrics).toMatchObject({ spanCount: 2, totalCostUsd: 0.0003879, promptTokens: 0 });
  });

  test("come out of the detail where there is no such route", async () => {
    scriptBearerGeneration(server);
    server.on("GET /public/v1/traces/*/metrics", routeNotFound);
    server.on("GET /v4/traces/*", {
      body: { ...detailOf(1), metrics: { total_tokens: 12, total_cost: 0.5 } },
    });
    const metrics = await openFor(server).client().getTraceMetrics(traceId, never);
    expect(metrics).toMatchObject({ totalTokens: 12, totalCostUsd: 0.5 });
  });

  test("are not made up where the detail has none", async () => {
    scriptBearerGeneration(server);
    expect(await codeOf(openFor(server).client().getTraceMetrics(traceId, never))).toBe(
      "bad_response",
    );
  });
});
