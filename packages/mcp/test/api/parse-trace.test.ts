import { describe, expect, test } from "vitest";
import { ApiError } from "../../src/api/errors.js";
import { parseSpan, parseTrace, toUnixMs } from "../../src/api/parse-trace.js";

/** A span with everything in it, as `GET /v4/traces/detail/{trace_id}` serialises it. */
const failedTool = {
  freeplan_truncated: false,
  span_id: "c3d4e5f60718293a",
  parent_span_id: "a1b2c3d4e5f60718",
  span_name: "lookup.tool",
  span_kind: "Internal",
  span_type: "tool",
  service_name: "agentops",
  start_time: "2025-08-20T09:15:04.100000+00:00",
  end_time: "2025-08-20T09:15:04.200000+00:00",
  duration: 100_000_412,
  status_code: "ERROR",
  status_message: "KeyError: 'x'",
  attributes: {},
  resource_attributes: { service: { name: "agentops" }, imported_libraries: '["agentops"]' },
  span_attributes: {
    agentops: { span: { kind: "tool" }, tool: { input: '{"args": ["x"]}' } },
    operation: { name: "lookup" },
  },
  event_timestamps: ["2025-08-20T09:15:04.199000"],
  event_names: ["exception"],
  event_attributes: [{ "exception.message": "'x'", "exception.type": "KeyError" }],
  link_trace_ids: ["148dac266d95c9dc0b5616320b8488c9"],
  link_span_ids: ["d4e5f60718293a4b"],
  link_attributes: [{ "messaging.operation.name": "receive" }],
  metrics: null,
};

function traceOf(...spans: object[]): string {
  return JSON.stringify({ trace_id: "t", project_id: "p", tags: ["a"], spans });
}

function spanOf(fields: object) {
  return parseSpan(JSON.stringify({ ...failedTool, ...fields }));
}

test("a span is parsed with its attributes flat, its events, its links and its exact duration", () => {
  expect(parseTrace(traceOf(failedTool))).toEqual({
    traceId: "t",
    projectId: "p",
    tags: ["a"],
    isTruncatedByPlan: false,
    unreadSpanIds: new Set(),
    spans: [
      {
        spanId: "c3d4e5f60718293a",
        parentSpanId: "a1b2c3d4e5f60718",
        name: "lookup.tool",
        spanKind: "internal",
        status: "error",
        statusMessage: "KeyError: 'x'",
        serviceName: "agentops",
        startUnixMs: 1755681304100,
        durationMs: 100.000412,
        attributes: {
          "agentops.span.kind": "tool",
          "agentops.tool.input": '{"args": ["x"]}',
          "operation.name": "lookup",
        },
        resourceAttributes: { "service.name": "agentops", imported_libraries: '["agentops"]' },
        events: [
          {
            name: "exception",
            timeUnixMs: 1755681304199,
            attributes: { "exception.message": "'x'", "exception.type": "KeyError" },
          },
        ],
        links: [
          {
            traceId: "148dac266d95c9dc0b5616320b8488c9",
            spanId: "d4e5f60718293a4b",
            attributes: { "messaging.operation.name": "receive" },
          },
        ],
      },
    ],
  });
});

test("a span needs no more than an id and a start", () => {
  const bare = { span_id: "1", start_time: "2025-08-20T09:15:04Z", unknown_field: [{}] };
  expect(parseTrace(JSON.stringify({ trace_id: "t", spans: [bare] }))).toEqual({
    traceId: "t",
    projectId: undefined,
    tags: [],
    isTruncatedByPlan: false,
    unreadSpanIds: new Set(),
    spans: [
      {
        spanId: "1",
        parentSpanId: undefined,
        name: "",
        spanKind: "unspecified",
        status: "unset",
        statusMessage: "",
        serviceName: "",
        startUnixMs: 1755681304000,
        durationMs: 0,
        attributes: {},
        resourceAttributes: {},
        events: [],
        links: [],
      },
    ],
  });
});

test("every field that some server leaves out may also be null", () => {
  const nulls = Object.fromEntries(Object.keys(failedTool).map((key) => [key, null]));
  const span = { ...nulls, span_id: "1", start_time: failedTool.start_time };
  const body = {
    trace_id: "t",
    project_id: null,
    tags: null,
    freeplan_truncated: null,
    spans: [span],
  };
  expect(parseTrace(JSON.stringify(body)).spans).toHaveLength(1);
});

describe("a root span", () => {
  test.each([[""], [null], [undefined]])("is one whose parent is %j", (parent_span_id) => {
    expect(spanOf({ parent_span_id }).parentSpanId).toBeUndefined();
  });
});

describe("status and kind", () => {
  test.each([
    ["OK", "ok"],
    ["Ok", "ok"],
    ["STATUS_CODE_OK", "ok"],
    ["ERROR", "error"],
    ["STATUS_CODE_ERROR", "error"],
    ["UNSET", "unset"],
    ["", "unset"],
    ["anything", "unset"],
  ])("%j is %s", (status_code, status) => {
    expect(spanOf({ status_code }).status).toBe(status);
  });

  test.each([
    ["Client", "client"],
    ["SPAN_KIND_CLIENT", "client"],
    ["INTERNAL", "internal"],
    ["Producer", "producer"],
    ["Unspecified", "unspecified"],
    ["constructor", "unspecified"],
  ])("%j is %s", (span_kind, expected) => {
    expect(spanOf({ span_kind }).spanKind).toBe(expected);
  });
});

describe("a time", () => {
  test.each([
    ["2025-08-20T09:15:04+00:00", 1755681304000],
    ["2025-08-20T09:15:04.104211+00:00", 1755681304104.211],
    ["2025-08-20T09:15:04.104Z", 1755681304104],
    ["2025-08-20T09:15:04.104", 1755681304104],
    ["2025-08-20 09:15:04", 1755681304000],
    ["2025-08-20T11:15:04+02:00", 1755681304000],
    ["2025-08-20T11:15:04+0200", 1755681304000],
    ["2025-08-20T09:15:04.123456789Z", 1755681304123.457],
  ])("%s keeps its microseconds", (text, expected) => {
    expect(toUnixMs(text)).toBeCloseTo(expected, 3);
  });

  test.each(["", "yesterday", "2025-08-20", "2025-13-20T09:15:04Z", "1755681304"])(
    "%j is none",
    (text) => {
      expect(() => toUnixMs(text)).toThrow(ApiError);
    },
  );

  test("difference stands in for a missing duration", () => {
    expect(spanOf({ duration: null }).durationMs).toBe(100);
  });
});

describe("attributes", () => {
  test("are flattened with the fillers of the server left out", () => {
    const span_attributes = {
      gen_ai: {
        prompt: [{ role: "user" }, {}, null, { role: "system", tool_calls: [{ id: "1" }, []] }],
        "10": "kept",
      },
      number: 1.5,
      flag: false,
      empty: "",
      nothing: null,
      __proto__: { polluted: "yes" },
      "a.b": "dotted already",
    };
    const json = JSON.stringify(span_attributes).replace(
      '{"gen_ai"',
      '{"__proto__":{"x":"y"},"gen_ai"',
    );
    const { attributes } = spanOf({ span_attributes: JSON.parse(json) });
    expect(Object.entries(attributes)).toEqual([
      ["__proto__.x", "y"],
      ["gen_ai.10", "kept"],
      ["gen_ai.prompt.0.role", "user"],
      ["gen_ai.prompt.3.role", "system"],
      ["gen_ai.prompt.3.tool_calls.0.id", "1"],
      ["number", "1.5"],
      ["flag", "false"],
      ["empty", ""],
      ["a.b", "dotted already"],
    ]);
  });

  test("of both kinds are put together, those of the span first in rank", () => {
    const { attributes } = spanOf({ attributes: { a: "1", b: "1" }, span_attributes: { b: "2" } });
    expect(attributes).toEqual({ a: "1", b: "2" });
  });

  test("nested a hundred thousand deep are still read", () => {
    const depth = 100_000;
    const body = JSON.stringify({ ...failedTool, span_attributes: "DEEP" });
    const deep = `${'{"a":'.repeat(depth)}"x"${"}".repeat(depth)}`;
    const { attributes } = parseSpan(body.replace('"DEEP"', deep));
    expect(Object.values(attributes)).toEqual(["x"]);
  });

  test.each(["text", 5, [1]])("that are no object (%j) do no harm", (span_attributes) => {
    expect(() => spanOf({ span_attributes })).not.toThrow();
  });
});

describe("a trace", () => {
  test("has each span once, ordered by start", () => {
    const late = { span_id: "late", start_time: "2025-08-20T09:15:05Z" };
    const early = { span_id: "early", start_time: "2025-08-20T09:15:04.000001Z" };
    const { spans } = parseTrace(traceOf(late, early, late));
    expect(spans.map(({ spanId }) => spanId)).toEqual(["early", "late"]);
  });

  test("is known to be truncated by the plan, whether it or a span says so", () => {
    const whole = JSON.parse(traceOf(failedTool));
    expect(
      parseTrace(JSON.stringify({ ...whole, freeplan_truncated: true })).isTruncatedByPlan,
    ).toBe(true);
    const span = { ...failedTool, freeplan_truncated: true };
    expect(parseTrace(traceOf(span)).isTruncatedByPlan).toBe(true);
  });

  test("of 50,000 spans is parsed in seconds", () => {
    const spans = Array.from({ length: 50_000 }, (_, index) => ({
      ...failedTool,
      span_id: String(index),
    }));
    const body = traceOf(...spans);
    const started = performance.now();
    expect(parseTrace(body).spans).toHaveLength(50_000);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("an answer in another shape is a bad response that names the field and no content", () => {
  test.each([
    ["secret", "The response is not JSON."],
    ['"secret"', "The response has no valid content."],
    ['{"spans":[]}', "The response has no valid trace_id."],
    ['{"trace_id":"t","spans":"secret"}', "The response has no valid spans."],
    ['{"trace_id":"t","spans":[{"span_id":"1"}]}', "The response has no valid spans.0.start_time."],
    [
      '{"trace_id":"t","spans":[{"span_id":"1","start_time":"secret"}]}',
      "The response holds a time that is none.",
    ],
  ])("%s", (body, message) => {
    expect(() => parseTrace(body)).toThrow(
      expect.objectContaining({ code: "bad_response", message }),
    );
  });
});
