import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultProjectId, startTestServer, type TestServer } from "../harness.js";
import { exportOf, type OtlpSpan, spanAt, text, toJson } from "../otlp-message.js";

// hour 0: alpha   2 spans, 1 s             tags ["prod"]
// hour 1: beta    3 spans, 5 s, 1 error    cost 0.5
// hour 2: gamma   1 span, 2 s, OK          cost 0.25
const HOUR_MS = 3_600_000;
const [alpha, beta, gamma] = ["a", "b", "c"].map((digit) => digit.repeat(32)) as [
  string,
  string,
  string,
];
const rootOf = (traceId: string) => traceId.slice(0, 16);

function root(
  startMs: number,
  durationMs: number,
  fields: Partial<OtlpSpan> & { traceId: string },
) {
  return spanAt(startMs, durationMs, { ...fields, spanId: rootOf(fields.traceId) });
}
function child(
  startMs: number,
  durationMs: number,
  fields: Partial<OtlpSpan> & { traceId: string },
) {
  return spanAt(startMs, durationMs, { ...fields, parentSpanId: rootOf(fields.traceId) });
}

const cost = (usd: string) => [text("gen_ai.usage.total_cost", usd)];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  const message = exportOf(
    root(0, 1000, {
      traceId: alpha,
      name: "Alpha.session",
      attributes: [text("agentops.tags", '["prod"]')],
    }),
    // Starts before its parent, as a span recorded by another process may: it is no root all the same.
    child(-5, 10, { traceId: alpha, name: "early" }),
    root(HOUR_MS, 1000, { traceId: beta, name: "beta.session" }),
    child(HOUR_MS + 10, 4990, { traceId: beta, attributes: cost("0.5") }),
    child(HOUR_MS + 20, 10, { traceId: beta, status: { code: 2 } }),
    root(2 * HOUR_MS, 2000, {
      traceId: gamma,
      name: "gamma.session",
      attributes: cost("0.25"),
      status: { code: 1 },
    }),
  );
  const headers = { "content-type": "application/json" };
  await fetch(`${server.url}/v1/traces`, { method: "POST", headers, body: toJson(message) });
});
afterAll(() => server.close());

async function list(query = "") {
  const { status, body } = await server.read(`/v4/traces/list/${defaultProjectId}${query}`);
  return { status, body, ids: body.traces?.map((trace: { trace_id: string }) => trace.trace_id) };
}

test("the list is newest first, with real durations, the parentless span as root, and totals", async () => {
  const { status, body } = await list();
  expect(status).toBe(200);
  expect(body).toEqual({
    traces: [
      {
        freeplan_truncated: false,
        trace_id: gamma,
        root_service_name: "agentops",
        root_span_name: "gamma.session",
        start_time: "2026-01-02T05:04:05.123456+00:00",
        end_time: "2026-01-02T05:04:07.123456+00:00",
        duration: 2_000_000_000,
        span_count: 1,
        error_count: 0,
        tags: [],
        total_cost: 0.25,
        unpriced_count: 0,
      },
      {
        freeplan_truncated: false,
        trace_id: beta,
        root_service_name: "agentops",
        root_span_name: "beta.session",
        start_time: "2026-01-02T04:04:05.123456+00:00",
        end_time: "2026-01-02T04:04:10.123456+00:00",
        duration: 5_000_000_000,
        span_count: 3,
        error_count: 1,
        tags: [],
        total_cost: 0.5,
        unpriced_count: 0,
      },
      {
        freeplan_truncated: false,
        trace_id: alpha,
        root_service_name: "agentops",
        root_span_name: "Alpha.session",
        start_time: "2026-01-02T03:04:05.118456+00:00",
        end_time: "2026-01-02T03:04:06.123456+00:00",
        duration: 1_005_000_000,
        span_count: 2,
        error_count: 0,
        tags: ["prod"],
        total_cost: 0,
        unpriced_count: 0,
      },
    ],
    metrics: {
      span_count: 6,
      trace_count: 3,
      success_count: 1,
      fail_count: 1,
      indeterminate_count: 1,
      prompt_tokens: 0,
      completion_tokens: 0,
      cache_read_input_tokens: 0,
      reasoning_tokens: 0,
      total_tokens: 0,
      prompt_cost: "0.0000000",
      completion_cost: "0.0000000",
      average_cost_per_trace: "0.2500000",
      total_cost: "0.7500000",
    },
    total: 3,
    limit: 20,
    offset: 0,
    freeplan_truncated: false,
  });
});

test("/v4/traces answers the same for the token's project", async () => {
  const { body } = await server.read("/v4/traces?limit=2");
  expect(body).toEqual((await list("?limit=2")).body);
});

describe("parameters", () => {
  test.each([
    ["?limit=1", [gamma]],
    ["?limit=1&offset=1", [beta]],
    ["?offset=3", []],
    ["?limit=100", [gamma, beta, alpha]],
    // As for FastAPI, the last one counts.
    ["?limit=1&limit=2", [gamma, beta]],
    ["?sort_order=asc", [alpha, beta, gamma]],
    ["?order_by=start_time", [gamma, beta, alpha]],
    ["?order_by=duration", [beta, gamma, alpha]],
    ["?order_by=span_count&sort_order=ASC", [gamma, alpha, beta]],
    ["?order_by=error_count", [beta, alpha, gamma]],
    ["?order_by=total_cost", [beta, gamma, alpha]],
    ["?order_by=trace_id", [gamma, beta, alpha]],
    ["?order_by=span_name&sort_order=ASC", [alpha, beta, gamma]],
    ["?order_by=tags", [alpha, beta, gamma]],
    ["?query=ALPHA", [alpha]],
    ["?query=prod", [alpha]],
    [`?query=${beta.slice(0, 9)}`, [beta]],
    ["?query=100%25", []],
    ["?start_time=2026-01-02T05:00:00", [gamma]],
    ["?end_time=2026-01-02T04:30:00Z", [beta, alpha]],
    ["?start_time=2026-01-02T06:04:08%2B02:00&end_time=1767327000", [beta]],
    ["?start_time=2026-01-03", []],
    // As the answer writes the start of alpha, whose nanoseconds it leaves out.
    ["?end_time=2026-01-02T03:04:05.118456%2B00:00", [alpha]],
    ["?end_time=2026-01-02T03:04:05.118455", []],
    ["?start_time=9999-12-31", []],
    ["?end_time=9999-12-31", [gamma, beta, alpha]],
    ["?unknown=1", [gamma, beta, alpha]],
  ])("%s", async (query, ids) => {
    expect((await list(query)).ids).toEqual(ids);
  });

  test("total and metrics cover what matches, not the page", async () => {
    const { body } = await list("?query=session&limit=1&start_time=2026-01-02T04:00:00");
    expect(body).toMatchObject({ total: 2, limit: 1, metrics: { trace_count: 2, span_count: 4 } });
  });

  test.each([
    ["?limit=0", "limit", "greater_than_equal", "Input should be greater than or equal to 1"],
    ["?limit=101", "limit", "less_than_equal", "Input should be less than or equal to 100"],
    ["?limit=", "limit", "int_parsing", expect.stringContaining("valid integer")],
    ["?limit=1e1", "limit", "int_parsing", expect.stringContaining("valid integer")],
    ["?limit=many", "limit", "int_parsing", expect.stringContaining("valid integer")],
    ["?offset=-1", "offset", "greater_than_equal", "Input should be greater than or equal to 0"],
    ["?start_time=soon", "start_time", "datetime_parsing", expect.stringContaining("datetime")],
    [
      "?start_time=1767323045123456789",
      "start_time",
      "datetime_parsing",
      expect.stringContaining("datetime"),
    ],
    ["?end_time=", "end_time", "datetime_parsing", expect.stringContaining("datetime")],
    ["?order_by=name;DROP", "order_by", "literal_error", expect.stringContaining("start_time")],
    ["?sort_order=up", "sort_order", "literal_error", "Input should be one of ASC, DESC"],
  ])("%s is a 422", async (query, name, type, msg) => {
    const { status, body } = await list(query);
    expect(status).toBe(422);
    expect(body).toEqual({ detail: [{ type, loc: ["query", name], msg, input: null }] });
  });

  test("all that is wrong is told at once", async () => {
    const { body } = await list("?offset=-1&start_time=soon&limit=0");
    const fields = body.detail.map(({ loc }: { loc: string[] }) => loc.at(-1));
    expect(fields.toSorted()).toEqual(["limit", "offset", "start_time"]);
  });
});

describe("/v4/meterics/project", () => {
  const meterics = (query = "") => server.read(`/v4/meterics/project/${defaultProjectId}${query}`);

  test("sums the project up as the dashboard draws it", async () => {
    const { status, body } = await meterics();
    expect(status).toBe(200);
    expect(body).toEqual({
      project_id: defaultProjectId,
      trace_count: 3,
      span_count: { total: 6, success: 1, fail: 1, unknown: 4, indeterminate: 4 },
      token_metrics: {
        total_cost: "0.75000",
        average_cost_per_session: "0.25000",
        prompt_tokens: 0,
        completion_tokens: 0,
        total_tokens: { all: 0, success: 0, fail: 0 },
        avg_tokens: { all: 0, success: 0, fail: 0 },
      },
      duration_metrics: {
        min_duration_ns: 10_000_000,
        max_duration_ns: 4_990_000_000,
        avg_duration_ns: 1_501_666_667,
        total_duration_ns: 9_010_000_000,
        trace_durations: [1_010_000_000, 2_000_000_000, 6_000_000_000],
      },
      success_datetime: ["2026-01-02T05:04:05.123456"],
      fail_datetime: ["2026-01-02T04:04:05.143456"],
      indeterminate_datetime: ["2026-01-02T03:04:05.123456"],
      spans_per_trace: { "1": 1, "2": 1, "3": 1 },
      trace_durations: [1_010_000_000, 2_000_000_000, 6_000_000_000],
      trace_cost_dates: { "2026-01-02": 0.25 },
      start_time: "2026-01-02T03:04:05.118456",
      end_time: "2026-01-02T05:04:05.123456",
      freeplan_truncated: false,
    });
  });

  test("covers the spans that started in the range", async () => {
    const { body } = await meterics("?start_time=2026-01-02T04:00:00&end_time=2026-01-02T05:00:00");
    expect(body).toMatchObject({
      trace_count: 1,
      span_count: { total: 3, fail: 1 },
      token_metrics: { total_cost: "0.50000" },
    });
  });

  test("covers a span whose start is sent back as the end of the range", async () => {
    const { body } = await meterics("?end_time=2026-01-02T03:04:05.118456");
    expect(body).toMatchObject({ trace_count: 1, span_count: { total: 1 } });
  });

  test("says nothing happened where nothing did", async () => {
    const { body } = await meterics("?start_time=2030-01-01");
    expect(body).toMatchObject({
      trace_count: 0,
      token_metrics: { average_cost_per_session: "0.00000" },
      duration_metrics: { min_duration_ns: 0, avg_duration_ns: 0, trace_durations: [] },
      spans_per_trace: {},
      start_time: "1970-01-01T00:00:00",
      end_time: "1970-01-01T00:00:00",
    });
  });

  test("counts traces by size in ten buckets or so, and durations of spans that have one", async () => {
    const years = 366 * 24 * HOUR_MS;
    const spans = Array.from({ length: 25 }, (_, index) =>
      spanAt(years + index, 2, { traceId: "d".repeat(32) }),
    );
    const message = exportOf(...spans, spanAt(years, 0, { traceId: "e".repeat(32) }));
    const headers = { "content-type": "application/json" };
    await fetch(`${server.url}/v1/traces`, { method: "POST", headers, body: toJson(message) });

    const { body } = await meterics("?start_time=2027-01-01");
    expect(body).toMatchObject({
      trace_count: 2,
      span_count: { total: 26 },
      spans_per_trace: { "0": 1, "24": 1 },
      trace_durations: [0, 50_000_000],
      duration_metrics: { min_duration_ns: 2_000_000, avg_duration_ns: 2_000_000 },
    });
  });

  test("knows the token's project only, and times", async () => {
    const other = await server.read("/v4/meterics/project/00000000-0000-4000-8000-000000000000");
    expect(other).toEqual({ status: 404, body: { detail: "Project not found" } });
    expect((await meterics("?end_time=soon")).status).toBe(422);
  });
});
