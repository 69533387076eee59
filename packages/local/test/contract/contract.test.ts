import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AgentOps, openAgentOps } from "../../../mcp/src/api/agentops.js";
import { codeOf, never } from "../../../mcp/test/api/scripts.js";
import {
  defaultKey,
  defaultProjectId,
  fetchToken,
  startTestServer,
  type TestServer,
} from "../harness.js";
import { exportOf, spanAt, text, toProtobuf } from "../otlp-message.js";
import { type Front, generations, openFront } from "./generations.js";

// What the MCP server's client reads from agentops-local must not depend on the routes by which it
// reads: each generation of the API is the same server behind a front that has that one's routes only.

// newest  ask.session ├────────────────┤ 0–400 ms, OK, tags
//           chat        ├─────┤            10–110 ms, OK, 11 tokens
//           lookup.tool         ├──┤       120–150 ms, ERROR with an exception
// older   ping, an hour before
const newest = "11112222333344445555666677778888";
const older = "a".repeat(32);
const [root, chat, tool] = ["a1", "b2", "33"].map((id) => id.repeat(8)) as [string, string, string];
const prompt = 'Grüße, what\'s \\ "new"?\n\t🚀';

const message = exportOf(
  spanAt(-3_600_000, 5, { traceId: older, spanId: "c".repeat(16), name: "ping" }),
  spanAt(120, 30, {
    traceId: newest,
    spanId: tool,
    parentSpanId: root,
    name: "lookup.tool",
    attributes: [text("agentops.span.kind", "tool"), text("tool.name", "lookup")],
    events: [
      {
        timeUnixNano: "1767323045260000000",
        name: "exception",
        attributes: [text("exception.type", "KeyError")],
      },
    ],
    status: { code: 2, message: "KeyError: 'x'" },
  }),
  spanAt(10, 100, {
    traceId: newest,
    spanId: chat,
    parentSpanId: root,
    name: "chat",
    kind: 3,
    attributes: [
      text("gen_ai.prompt.0.content", prompt),
      text("gen_ai.request.model", "gpt-4o-mini"),
      text("gen_ai.usage.completion_cost", "0.0000012"),
      text("gen_ai.usage.completion_tokens", "2"),
      text("gen_ai.usage.prompt_cost", "0.00000135"),
      text("gen_ai.usage.prompt_tokens", "9"),
    ],
    status: { code: 1 },
  }),
  spanAt(0, 400, {
    traceId: newest,
    spanId: root,
    name: "ask.session",
    attributes: [text("agentops.tags", '["prod","ü"]')],
    status: { code: 1 },
  }),
);

const common = {
  spanKind: "unspecified",
  status: "ok",
  statusMessage: "",
  serviceName: "agentops",
  resourceAttributes: {
    ProjectId: defaultProjectId,
    "agentops.project.id": defaultProjectId,
    "service.name": "agentops",
  },
  events: [],
  links: [],
};
const rootSpan = {
  ...common,
  spanId: root,
  parentSpanId: undefined,
  name: "ask.session",
  startUnixMs: 1_767_323_045_123.456,
  durationMs: 400,
  attributes: { "agentops.tags": '["prod","ü"]' },
};
const chatSpan = {
  ...common,
  spanId: chat,
  parentSpanId: root,
  name: "chat",
  spanKind: "client",
  startUnixMs: 1_767_323_045_133.456,
  durationMs: 100,
  attributes: {
    "gen_ai.prompt.0.content": prompt,
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.completion_cost": "0.0000012",
    "gen_ai.usage.completion_tokens": "2",
    "gen_ai.usage.prompt_cost": "0.00000135",
    "gen_ai.usage.prompt_tokens": "9",
  },
};
const toolSpan = {
  ...common,
  spanId: tool,
  parentSpanId: root,
  name: "lookup.tool",
  status: "error",
  statusMessage: "KeyError: 'x'",
  startUnixMs: 1_767_323_045_243.456,
  durationMs: 30,
  attributes: { "agentops.span.kind": "tool", "tool.name": "lookup" },
};
const exception = {
  name: "exception",
  timeUnixMs: 1_767_323_045_260,
  attributes: { "exception.type": "KeyError" },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await fetch(`${server.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: toProtobuf(message),
  });
  await fetch(`${server.url}/v4/logs/upload/`, {
    method: "POST",
    headers: { "trace-id": String(BigInt(`0x${newest}`)) },
    body: JSON.stringify({ body: "first line\nsecond" }),
  });
});
afterAll(() => server.close());

describe.each(generations)("$name", (generation) => {
  const { isPublicOnly = false, hasLogs = false, hasSpanRoutes = false } = generation;
  let front: Front;
  let agentOps: AgentOps;
  let sessionCookie: string | undefined;
  beforeAll(async () => {
    front = await openFront(generation, server.url);
    agentOps = openAgentOps({ userAgent: "test", knownTraceIds: async () => [newest, older] });
    if (generation.isSignedIn) sessionCookie = await fetchToken(server.url);
  });
  afterAll(async () => {
    await agentOps.close();
    front.close();
  });
  const client = () => agentOps.client({ baseUrl: front.url, apiKey: defaultKey, sessionCookie });

  test("lists traces, newest first", async () => {
    const { rows, total, source } = await client().listPage({ limit: 20, offset: 0 }, never);
    expect(source).toBe(generation.listSource);
    expect(total).toBe(2);
    expect(rows.map(({ wire: _, ...row }) => row)).toEqual([
      {
        traceId: newest,
        rootSpanName: "ask.session",
        tags: ["prod", "ü"],
        startUnixMs: expect.closeTo(1_767_323_045_123.456, isPublicOnly ? 0 : 3),
        durationMs: 400,
        spanCount: 3,
        errorCount: 1,
        costUsd: isPublicOnly ? undefined : expect.closeTo(2.55e-6, 10),
        unpricedCount: isPublicOnly ? undefined : 0,
      },
      {
        traceId: older,
        rootSpanName: "ping",
        tags: [],
        startUnixMs: expect.closeTo(1_767_319_445_123.456, isPublicOnly ? 0 : 3),
        durationMs: 5,
        spanCount: 1,
        errorCount: 0,
        costUsd: isPublicOnly ? undefined : 0,
        unpricedCount: isPublicOnly ? undefined : 0,
      },
    ]);
  });

  test("lists as many as are asked for", async () => {
    const { body } = await client().listTraces({ limit: 1 }, never);
    expect(JSON.parse(body)).toMatchObject({ traces: [{ trace_id: newest }], total: 2, limit: 1 });
  });

  test.skipIf(isPublicOnly)("lists from an offset, by text and by time", async () => {
    const found = async (query: object) => {
      const { rows } = await client().listPage({ limit: 20, offset: 0, ...query }, never);
      return rows.map(({ traceId }) => traceId);
    };
    expect(await found({ offset: 1 })).toEqual([older]);
    expect(await found({ text: "ASK." })).toEqual([newest]);
    // The client asks for an hour more on either side.
    expect(await found({ sinceUnixMs: 1_767_323_045_000 + 60_000 })).toEqual([newest]);
    expect(await found({ untilUnixMs: 1_767_323_045_000 - 7_200_000 })).toEqual([]);
  });

  test("shows a trace with all its spans", async () => {
    const events = isPublicOnly ? [] : [exception];
    expect(await client().getTrace(newest, never)).toEqual({
      traceId: newest,
      projectId: defaultProjectId,
      tags: ["prod", "ü"],
      isTruncatedByPlan: false,
      unreadSpanIds: new Set(),
      spans: [rootSpan, chatSpan, { ...toolSpan, events }],
    });
  });

  test("passes a trace on as the server has it", async () => {
    const { body, source } = await client().traceDetail(newest, never);
    expect(source).toBe(generation.detailSource);
    const { spans, ...trace } = JSON.parse(body);
    expect(trace).toMatchObject({
      trace_id: newest,
      metrics: { total_tokens: 11, total_cost: "0.0000026" },
    });
    expect(spans[1]).toMatchObject({
      span_id: chat,
      duration: 100_000_000,
      span_attributes: { gen_ai: { prompt: [{ content: prompt }] } },
    });
  });

  test("shows a span of a trace", async () => {
    expect(await client().getSpan({ spanId: chat, traceId: newest }, never)).toEqual(chatSpan);
  });

  test("adds up a trace", async () => {
    expect(await client().getTraceMetrics(newest, never)).toEqual({
      spanCount: 3,
      successCount: 2,
      failCount: 1,
      indeterminateCount: 0,
      promptTokens: 9,
      completionTokens: 2,
      cacheReadInputTokens: 0,
      reasoningTokens: 0,
      totalTokens: 11,
      promptCostUsd: 0.0000013,
      completionCostUsd: 0.0000012,
      totalCostUsd: 0.0000026,
    });
  });

  test("does not have what is not there", async () => {
    const unknown = "f".repeat(32);
    expect(await codeOf(client().getTrace(unknown, never))).toBe("not_found");
    expect(await codeOf(client().getTraceMetrics(unknown, never))).toBe("not_found");
    const span = { spanId: "f".repeat(16), traceId: newest };
    expect(await codeOf(client().getSpan(span, never))).toBe("not_found");
  });

  test(hasLogs ? "shows a log" : "keeps logs to itself", async () => {
    const log = client().traceLog(newest, never);
    if (!hasLogs) return expect(await codeOf(log)).toBe("forbidden");
    expect(await log).toEqual({ text: "first line\nsecond", isTruncatedByPlan: false });
    expect(await codeOf(client().traceLog(older, never))).toBe("not_found");
  });

  test(hasSpanRoutes ? "searches spans" : "does not search spans", async () => {
    const found = await client().searchSpans({ text: 'what\'s \\ "new"', status: "ok" }, never);
    expect(found).toEqual(
      hasSpanRoutes ? { traceIds: [newest], nextCursor: undefined } : undefined,
    );
    expect(await client().capabilities(never)).toEqual(
      new Set(hasSpanRoutes ? ["spans.search", "spans.metrics"] : []),
    );
  });

  test.each([
    { group: "all", count: 2, errorCount: 1 },
    { group: "model", key: "gpt-4o-mini", count: 1, errorCount: 0 },
    { group: "tool", key: "lookup", count: 1, errorCount: 1 },
    { group: "span_name", key: "chat", count: 1, errorCount: 0 },
  ] as const)("adds up spans by $group, or leaves it to the caller", async ({ group, ...row }) => {
    const query = { group, traceIds: [newest, older], sinceUnixMs: 0 };
    const rows = await client().spanMetrics(query, never);
    if (hasSpanRoutes) expect(rows).toContainEqual(expect.objectContaining(row));
    else expect(rows).toBeUndefined();
  });
});

test("nothing failed that nobody was told of", () => {
  expect(server.errors).toEqual([]);
});
