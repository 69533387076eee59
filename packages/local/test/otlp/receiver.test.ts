import { deflateSync, gzipSync } from "node:zlib";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  MAX_EXPORT_BYTES,
  MAX_EXPORT_MONTHS,
  MAX_EXPORT_SPANS,
  MAX_EXPORT_VALUES,
  MAX_ROW_BYTES,
} from "../../src/otlp/export-limits.js";
import { defaultProject } from "../../src/store/index.js";
import { createTokens } from "../../src/tokens.js";
import { defaultProjectId, fetchToken, startTestServer, type TestServer } from "../harness.js";
import {
  empties,
  exportOf,
  field,
  many,
  newSpanId,
  newTraceId,
  type OtlpExport,
  readExportResponse,
  readStatus,
  START_UNIX_NANO,
  spanAt,
  text,
  toJson,
  toProtobuf,
} from "../otlp-message.js";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";

const foreignToken = await createTokens(new Uint8Array(32)).issue(defaultProject);

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

type Body = NonNullable<RequestInit["body"]>;

function send(body: Body, headers: Record<string, string>, path = "/v1/traces") {
  return fetch(server.url + path, { method: "POST", body, headers, duplex: "half" });
}

async function detail(traceId: string) {
  const { body } = await server.read(`/v4/traces/${traceId}`);
  return body;
}

/** Two spans with everything that a span can carry. */
function fullExport(traceId: string, [rootId, childId]: [string, string]): OtlpExport {
  return exportOf(
    spanAt(10, 20, {
      traceId,
      spanId: childId,
      parentSpanId: rootId,
      name: "fetch_page.tool",
      kind: 3,
      traceState: "vendor=1",
      attributes: [
        text("tool.name", "fetch_page"),
        text("empty", ""),
        { key: "retries", value: { intValue: "9007199254740993" } },
        { key: "negative", value: { intValue: "-5" } },
        { key: "is_cached", value: { boolValue: false } },
        { key: "score", value: { doubleValue: 9e-7 } },
        { key: "raw", value: { bytesValue: "aGVsbG8=" } },
        {
          key: "tags",
          value: {
            arrayValue: { values: [{ stringValue: "a" }, { intValue: "9007199254740993" }] },
          },
        },
        {
          key: "options",
          value: { kvlistValue: { values: [{ key: "deep", value: { boolValue: true } }] } },
        },
      ],
      events: [
        {
          timeUnixNano: "1767323045140000000",
          name: "exception",
          attributes: [text("exception.type", "TimeoutError")],
        },
      ],
      links: [
        {
          traceId: "0af7651916cd43dd8448eb211c80319c",
          spanId: "b7ad6b7169203331",
          traceState: "rojo=00f067aa0ba902b7",
          attributes: [text("reason", "retry")],
        },
      ],
      status: { code: 2, message: "TimeoutError: ünïcode 🚀" },
    }),
    spanAt(0, 50, { traceId, spanId: rootId, name: "run.session" }),
  );
}

describe("encodings", () => {
  test.each([
    ["protobuf", PROTOBUF, toProtobuf, undefined],
    ["protobuf, gzip", PROTOBUF, toProtobuf, "gzip"],
    ["protobuf, deflate", PROTOBUF, toProtobuf, "deflate"],
    ["JSON", JSON_TYPE, toJson, undefined],
    ["JSON, gzip", JSON_TYPE, toJson, "gzip"],
  ])("an export as %s is stored whole", async (_name, contentType, encode, coding) => {
    const traceId = newTraceId();
    const spanIds: [string, string] = [newSpanId(), newSpanId()];
    const plain = encode(fullExport(traceId, spanIds));
    const body = coding === "gzip" ? gzipSync(plain) : coding ? deflateSync(plain) : plain;
    const response = await send(new Uint8Array(body), {
      "content-type": contentType,
      ...(coding && { "content-encoding": coding }),
    });

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(contentType);
    const answer = new Uint8Array(await response.arrayBuffer());
    if (contentType === PROTOBUF) expect(answer).toHaveLength(0);
    else expect(new TextDecoder().decode(answer)).toBe("{}");

    const { spans } = await detail(traceId);
    expect(spans).toHaveLength(2);
    expect(spans[0]).toMatchObject({
      span_id: spanIds[0],
      parent_span_id: "",
      span_kind: "Unspecified",
      status_code: "UNSET",
    });
    expect(spans[1]).toMatchObject({
      span_id: spanIds[1],
      parent_span_id: spanIds[0],
      span_name: "fetch_page.tool",
      span_kind: "Client",
      service_name: "agentops",
      start_time: "2026-01-02T03:04:05.133456+00:00",
      end_time: "2026-01-02T03:04:05.153456+00:00",
      duration: 20_000_000,
      status_code: "ERROR",
      status_message: "TimeoutError: ünïcode 🚀",
      span_attributes: {
        empty: "",
        is_cached: "false",
        negative: "-5",
        options: '{"deep":true}',
        raw: "aGVsbG8=",
        retries: "9007199254740993",
        score: "9e-7",
        tags: '["a",9007199254740993]',
        tool: { name: "fetch_page" },
      },
      event_timestamps: ["2026-01-02T03:04:05.140000"],
      event_names: ["exception"],
      event_attributes: [{ "exception.type": "TimeoutError" }],
      link_trace_ids: ["0af7651916cd43dd8448eb211c80319c"],
      link_span_ids: ["b7ad6b7169203331"],
      link_trace_states: ["rojo=00f067aa0ba902b7"],
      link_attributes: [{ reason: "retry" }],
    });
  });

  test("JSON may write 64-bit integers as numbers and ids in upper case, and leave out what is unset", async () => {
    const traceId = newTraceId();
    const span = {
      traceId: traceId.toUpperCase(),
      spanId: newSpanId(),
      name: "n",
      startTimeUnixNano: 1_767_323_045_123_000_000,
      endTimeUnixNano: 1_767_323_045_223_000_000,
      attributes: [{ key: "count", value: { intValue: 7 } }],
      someFieldOfTomorrow: {},
    };
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    const response = await send(body, { "content-type": "application/json; charset=utf-8" });

    expect(response.status).toBe(200);
    const { spans } = await detail(traceId);
    expect(spans[0].span_attributes).toEqual({ count: "7" });
    expect(spans[0].duration).toBe(100_000_000);
  });

  test.each([
    ["9007199254740992", "9007199254740992"],
    ["-9007199254740992", "-9007199254740992"],
    ["1732000000000000000", "1732000000000000000"],
    ["1e21", "1000000000000000000000"],
    ["1e300", String(BigInt(1e300))],
    ["1.0", "1"],
    ["0.5", "0.5"],
    ['"-9223372036854775808"', "-9223372036854775808"],
  ])("JSON may write any number as an integer: %s", async (written, stored) => {
    const traceId = newTraceId();
    const attributes = [{ key: "n", value: { intValue: "" } }];
    const message = JSON.stringify(exportOf(spanAt(0, 1, { traceId, attributes })));
    const body = message.replace('"intValue":""', `"intValue":${written}`);
    const response = await send(body, { "content-type": JSON_TYPE });

    expect(response.status).toBe(200);
    expect((await detail(traceId)).spans[0].span_attributes).toEqual({ n: stored });
  });

  test("OpenTelemetry's JavaScript exporter sends nanoseconds as a JSON number", async () => {
    const exporter = new OTLPTraceExporter({ url: `${server.url}/v1/traces` });
    const provider = new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const span = provider.getTracer("test").startSpan("seen");
    span.setAttribute("seen_at_ns", 1_732_000_000_000_000_000).end();
    await provider.shutdown();

    const { spans } = await detail(span.spanContext().traceId);
    expect(spans[0].span_attributes).toEqual({ seen_at_ns: "1732000000000000000" });
  });

  test("JSON may write a field that is unset as null", async () => {
    const traceId = newTraceId();
    const { startTimeUnixNano, endTimeUnixNano } = spanAt(0, 100, { traceId });
    const unset = {
      ...{ parentSpanId: null, traceState: null, name: null, kind: null },
      ...{ attributes: null, events: null, links: null, status: null },
    };
    const values = { stringValue: null, arrayValue: null, kvlistValue: null, intValue: "3" };
    const spans = [
      { traceId, spanId: newSpanId(), startTimeUnixNano, endTimeUnixNano, ...unset },
      {
        ...{ traceId, spanId: newSpanId(), startTimeUnixNano, endTimeUnixNano, ...unset },
        attributes: [
          { key: "none", value: null },
          { key: "empty", value: { arrayValue: { values: null } } },
          { key: "three", value: values },
        ],
        events: [{ timeUnixNano: null, name: "e", attributes: null }],
        links: [{ traceId: null, spanId: null, traceState: null, attributes: null }],
        status: { code: null, message: null },
      },
    ];
    const scopeSpans = [
      { scope: null, spans },
      { scope: { name: null }, spans: null },
    ];
    const resourceSpans = [{ resource: null, scopeSpans }, { scopeSpans: null }];
    const response = await send(JSON.stringify({ resourceSpans }), { "content-type": JSON_TYPE });
    expect(response.status).toBe(200);

    const stored = (await detail(traceId)).spans;
    expect(stored.map((span: { status_code: string }) => span.status_code)).toEqual([
      "UNSET",
      "UNSET",
    ]);
    const attributes = stored.map((span: { span_attributes: object }) => span.span_attributes);
    expect(attributes).toContainEqual({});
    expect(attributes).toContainEqual({ none: "", empty: "[]", three: "3" });
  });

  test("a span that ends before it starts has no duration", async () => {
    const traceId = newTraceId();
    await send(toProtobuf(exportOf(spanAt(0, -40, { traceId }))), { "content-type": PROTOBUF });
    expect((await detail(traceId)).spans[0].duration).toBe(0);
  });

  test.each([[PROTOBUF], [JSON_TYPE]])(
    "spans that no store could hold are rejected and counted, the others stored (%s)",
    async (contentType) => {
      const traceId = newTraceId();
      const message = exportOf(
        spanAt(0, 1, { traceId }),
        spanAt(0, 1, { traceId, spanId: "0000000000000000" }),
        spanAt(0, 1, { traceId: "abcd" }),
        spanAt(0, 1, { traceId, startTimeUnixNano: "18446744073709551615" }),
      );
      const encode = contentType === PROTOBUF ? toProtobuf : toJson;
      const response = await send(encode(message), { "content-type": contentType });

      expect(response.status).toBe(200);
      const answer = new Uint8Array(await response.arrayBuffer());
      expect(
        contentType === PROTOBUF
          ? readExportResponse(answer)
          : JSON.parse(new TextDecoder().decode(answer)),
      ).toEqual({
        partialSuccess: {
          rejectedSpans: "3",
          errorMessage: expect.stringContaining("16 and 8 bytes"),
        },
      });
      expect((await detail(traceId)).spans).toHaveLength(1);
    },
  );

  test.each([
    ["a time that is no number", { startTimeUnixNano: "noon" }],
    ["half a nanosecond", { startTimeUnixNano: 0.5 }],
    ["a name that is no text", { name: 7 }],
    ["attributes that are no list", { attributes: "none" }],
  ])("a JSON span with %s is rejected by itself", async (_name, fields) => {
    const traceId = newTraceId();
    const malformed = { ...spanAt(0, 1, { traceId }), ...fields };
    const scopeSpans = [{ spans: [malformed, spanAt(0, 1, { traceId })] }];
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans }] });
    const response = await send(body, { "content-type": JSON_TYPE });

    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: "1" } });
    expect((await detail(traceId)).spans).toHaveLength(1);
  });

  test.each(["/v1/metrics", "/v1/logs"])("%s is accepted and dropped", async (path) => {
    const response = await send(new Uint8Array([1, 2, 3]), { "content-type": PROTOBUF }, path);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe(PROTOBUF);
  });
});

describe("an export that is small and would take much", () => {
  const inScope = (content: Uint8Array) => field(1, field(2, content));
  const inSpan = (content: Uint8Array) => inScope(field(2, content));
  const tooMany = MAX_EXPORT_VALUES + 2;
  const list = (item: string, count: number) => Array(count).fill(item).join();
  const spansInJson = (items: string) =>
    `{"resourceSpans":[{"scopeSpans":[{"spans":[${items}]}]}]}`;
  const traceId = newTraceId();
  const START_MS = Number(START_UNIX_NANO / 1_000_000n);
  /** On the first and the last day of each month. */
  const spanEachMonth = Array.from({ length: MAX_EXPORT_MONTHS + 1 }, (_, month) =>
    [Date.UTC(2026, month, 1, 12), Date.UTC(2026, month + 1, 0, 12)].map((unixMs) =>
      spanAt(unixMs - START_MS, 1, { traceId }),
    ),
  ).flat();
  const inResource = (attribute: string, spanCount: number): OtlpExport => {
    const spans = Array.from({ length: spanCount }, () => spanAt(0, 1, { traceId }));
    const resource = { attributes: [text("key", attribute)] };
    return { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] };
  };
  const repeated = "a".repeat(1024 * 1024);
  const ids = Buffer.concat([field(1, Buffer.alloc(16, 1)), field(2, Buffer.alloc(8, 1))]);
  /** Six characters each in JSON. */
  const controls = Buffer.alloc(MAX_ROW_BYTES / 6, 1);

  test.each([
    ["resources", PROTOBUF, empties(1, tooMany), "values"],
    ["scopes", PROTOBUF, field(1, empties(2, tooMany)), "values"],
    ["spans", PROTOBUF, inScope(empties(2, MAX_EXPORT_SPANS + 1)), "spans"],
    ["attributes", PROTOBUF, inSpan(empties(9, tooMany)), "values"],
    ["events", PROTOBUF, inSpan(empties(11, tooMany)), "values"],
    ["resources in JSON", JSON_TYPE, `{"resourceSpans":[${list("{}", tooMany)}]}`, "values"],
    ["spans in JSON", JSON_TYPE, spansInJson(list("{}", MAX_EXPORT_SPANS + 1)), "spans"],
    ["what are no spans", JSON_TYPE, spansInJson(list("1", MAX_EXPORT_SPANS + 1)), "spans"],
    ["lists that mean nothing", JSON_TYPE, `{"other":[${list("[]", 2 * tooMany)}]}`, "values"],
    ["months", PROTOBUF, toProtobuf(exportOf(...spanEachMonth)), "months"],
    [
      "copies of a resource",
      PROTOBUF,
      toProtobuf(inResource(repeated, MAX_ROW_BYTES / repeated.length)),
      "bytes",
    ],
    [
      "copies of a resource that is all empty attributes",
      PROTOBUF,
      field(
        1,
        Buffer.concat([field(1, empties(1, 100_000)), field(2, many(field(2, ids), 2_000))]),
      ),
      "bytes",
    ],
    [
      "copies of a name that is longer in UTF-8",
      JSON_TYPE,
      JSON.stringify(inResource("€".repeat(MAX_ROW_BYTES / 200), 100)),
      "bytes",
    ],
    [
      "bytes once lists are text",
      PROTOBUF,
      inSpan(Buffer.concat([ids, field(9, field(2, field(5, field(1, field(1, controls)))))])),
      "bytes",
    ],
  ])("too many %s", async (_name, contentType, body, limit) => {
    const compressed = gzipSync(body);
    expect(compressed.length).toBeLessThan(100_000);
    const headers = { "content-type": contentType, "content-encoding": "gzip" };
    const response = await send(new Uint8Array(compressed), headers);
    expect(response.status).toBe(413);
    const answer = new Uint8Array(await response.arrayBuffer());
    const { message } =
      contentType === PROTOBUF ? readStatus(answer) : JSON.parse(new TextDecoder().decode(answer));
    expect(message).toMatch(new RegExp(`^An export may .*\\d+ ${limit}.*; send smaller batches`));
    expect(server.errors).toEqual([]);
  });

  test("as many months as an export may hold are stored", async () => {
    const spans = spanEachMonth.slice(2);
    const response = await send(toProtobuf(exportOf(...spans)), { "content-type": PROTOBUF });
    expect(response.status).toBe(200);
    expect((await detail(traceId)).spans).toHaveLength(spans.length);
  });

  test("text is not counted, whatever is in it", async () => {
    const content = '\\"{},[]'.repeat(MAX_EXPORT_VALUES / 2);
    const message = exportOf(
      spanAt(0, 1, { traceId: newTraceId(), attributes: [text("prompt", content)] }),
    );
    expect((await send(toJson(message), { "content-type": JSON_TYPE })).status).toBe(200);
  });

  test("what its spans repeat of their resource takes room", async () => {
    const body = toProtobuf(inResource(repeated, MAX_ROW_BYTES / repeated.length - 2));
    const responses = await Promise.all(
      Array.from({ length: 8 }, () => send(body, { "content-type": PROTOBUF })),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 429]));
  });
});

describe("faults", () => {
  const message = exportOf(spanAt(0, 1, { traceId: newTraceId() }));
  const whole = toProtobuf(message);
  const storedSpanCount = async () =>
    (await server.read("/v4/traces?limit=1")).body.metrics.span_count;
  let before: number;
  beforeAll(async () => {
    before = await storedSpanCount();
  });

  test.each([
    ["truncated protobuf", whole.subarray(0, whole.length - 5), {}, 400],
    [
      "protobuf whose inner length runs past its message",
      new Uint8Array([10, 3, 18, 9, 1]),
      {},
      400,
    ],
    ["bytes that are no protobuf", new Uint8Array([255, 255, 255, 255, 255, 255]), {}, 400],
    [
      "gzip that does not inflate",
      new Uint8Array([1, 2, 3, 4]),
      { "content-encoding": "gzip" },
      400,
    ],
    ["truncated gzip", gzipSync(whole).subarray(0, 30), { "content-encoding": "gzip" }, 400],
    ["a content encoding that is not supported", whole, { "content-encoding": "br" }, 415],
  ])(
    "%s is answered with a google.rpc.Status in protobuf",
    async (_name, body, headers, status) => {
      const response = await send(new Uint8Array(body), { "content-type": PROTOBUF, ...headers });

      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe(PROTOBUF);
      expect(readStatus(new Uint8Array(await response.arrayBuffer()))).toEqual({
        code: { 400: 3, 415: 3 }[status],
        message: expect.stringMatching(/\w+\.$/),
      });
    },
  );

  test.each([
    ["text that is not JSON", "{", 400],
    ["JSON of another shape", '{"resourceSpans":[{"scopeSpans":7}]}', 400],
  ])("%s is answered with a google.rpc.Status in JSON", async (_name, body, status) => {
    const response = await send(body, { "content-type": JSON_TYPE });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      code: 3,
      message: "The body is not an OTLP ExportTraceServiceRequest.",
    });
  });

  test("an attribute that is too deep is named", async () => {
    let value: Record<string, unknown> = { stringValue: "x" };
    for (let depth = 0; depth < 1000; depth++) value = { arrayValue: { values: [value] } };
    const span = spanAt(0, 1, { traceId: newTraceId(), attributes: [{ key: "deep", value }] });
    const response = await send(toJson(exportOf(span)), { "content-type": JSON_TYPE });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ message: expect.stringContaining("too deep") });
  });

  test.each([["text/plain"], ["multipart/form-data"]])(
    "content type %s is refused with what would be right",
    async (contentType) => {
      const response = await send(whole, { "content-type": contentType });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({
        message: "Content-Type must be application/x-protobuf or application/json.",
      });
    },
  );

  test("a body past the limit is refused, announced or not", async () => {
    const tooMuch = new Uint8Array(MAX_EXPORT_BYTES + 1);
    const announced = await send(tooMuch, { "content-type": PROTOBUF });
    expect(announced.status).toBe(413);

    const chunked = await send(new Blob([tooMuch]).stream(), { "content-type": PROTOBUF });
    expect(chunked.status).toBe(413);
    expect(readStatus(new Uint8Array(await chunked.arrayBuffer()))).toMatchObject({ code: 8 });
  });

  test("a small body that inflates past the limit is refused", async () => {
    const bomb = gzipSync(new Uint8Array(MAX_EXPORT_BYTES + 1));
    expect(bomb.length).toBeLessThan(100_000);
    const response = await send(new Uint8Array(bomb), {
      "content-type": PROTOBUF,
      "content-encoding": "gzip",
    });
    expect(response.status).toBe(413);
  });

  test("what was stored before is still there, and nothing else is", async () => {
    expect(before).toBeGreaterThan(0);
    expect(await storedSpanCount()).toBe(before);
    expect(server.errors).toEqual([]);
  });
});

describe("projects", () => {
  test("a valid token decides the project, whatever the resource says", async () => {
    const traceId = newTraceId();
    const message = exportOf(spanAt(0, 1, { traceId }));
    message.resourceSpans[0]?.resource?.attributes.push(
      text("agentops.project.id", "temporary"),
      text("ProjectId", "somebody-else"),
    );
    const token = await fetchToken(server.url);
    const response = await send(toProtobuf(message), {
      "content-type": PROTOBUF,
      authorization: `Bearer ${token}`,
    });

    expect(response.status).toBe(200);
    const { project_id, spans } = await detail(traceId);
    expect(spans[0].resource_attributes).toEqual({
      ProjectId: project_id,
      agentops: { project: { id: project_id } },
      service: { name: "agentops" },
    });
  });

  test.each([
    ["that is none", "nonsense"],
    ["that somebody else signed", foreignToken],
  ])("on loopback a token %s counts as no token", async (_name, token) => {
    const traceId = newTraceId();
    const response = await send(toProtobuf(exportOf(spanAt(0, 1, { traceId }))), {
      "content-type": PROTOBUF,
      authorization: `Bearer ${token}`,
    });
    expect(response.status).toBe(200);
    expect((await detail(traceId)).project_id).toBe(defaultProjectId);
  });
});

describe("where others can reach the server", () => {
  beforeAll(async () => {
    await server.close();
    server = await startTestServer(undefined, { host: "0.0.0.0" });
  });

  test.each([
    ["no token", undefined],
    ["a token that is none", "nonsense"],
    ["a token that somebody else signed", foreignToken],
  ])("an export with %s is refused, and nothing of it stored", async (_name, token) => {
    const response = await send(toProtobuf(exportOf(spanAt(0, 1, { traceId: newTraceId() }))), {
      "content-type": PROTOBUF,
      ...(token && { authorization: `Bearer ${token}` }),
    });
    expect(response.status).toBe(401);
    expect(readStatus(new Uint8Array(await response.arrayBuffer()))).toEqual({
      code: 16,
      message: expect.stringContaining("/v3/auth/token"),
    });
    expect((await server.read("/v4/traces")).body.total).toBe(0);
  });
});
