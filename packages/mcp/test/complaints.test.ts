import { expect, onTestFinished, test } from "vitest";
import { startLocal } from "../../../test/start-local.js";
import { openAgentOps } from "../src/api/agentops.js";
import { PRODUCTION_API_URL } from "../src/api/url-policy.js";
import { createServer } from "../src/server.js";
import {
  type Answer,
  type FaultServer,
  openFaultServer,
  type ReceivedRequest,
} from "./api/fault-server.js";
import {
  apiKey,
  detailOf,
  scriptPublicGeneration,
  spanDetail,
  summaryOf,
  tokenAnswer,
  traceId,
  traceNotFound,
} from "./api/scripts.js";
import { callerOf, connectOverStdio } from "./mcp-client.js";
import { connectInProcess } from "./tools/scripted-api.js";

/*
 * What users of other trace servers complain about most, tried on the built server, where no other test
 * shows that it cannot happen here.
 */

const SPAN = "GET /public/v1/spans/*";

/** AgentOps as it is hosted today: a trace is read span by span. */
async function openHostedApi(spanCount: number): Promise<FaultServer> {
  const api = await openFaultServer();
  onTestFinished(() => api[Symbol.asyncDispose]());
  scriptPublicGeneration(api, spanCount);
  return api;
}

function connectTo({ url }: FaultServer) {
  return connectOverStdio({ AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: url });
}

function spanAt(path: string): number {
  return Number(path.split("-").at(-1));
}

const MAX_PER_SECOND = 20;

/** Refuses what comes too fast, and says when to come again. */
function limited(answer: (path: string) => Answer): (request: ReceivedRequest) => Answer {
  let secondBeganAt = 0;
  let count = 0;
  return ({ path }) => {
    if (Date.now() >= secondBeganAt + 1_000) [secondBeganAt, count] = [Date.now(), 0];
    count += 1;
    if (count > MAX_PER_SECOND) return { status: 429, headers: { "retry-after": "1" } };
    return answer(path);
  };
}

const trace_id = traceId;

test.each([
  ["trace_detail", { trace_id, view: "tree" }, "3 spans of 12 could not be read"],
  ["trace_detail", { trace_id, view: "timeline" }, "3 spans of 12 could not be read"],
  ["trace_detail", { trace_id, view: "conversation" }, "3 spans of 12 could not be read"],
  ["diagnose_trace", { trace_id }, "3 spans of 12 could not be read"],
  ["compare_traces", { a: trace_id, b: trace_id }, "b: 3 spans of 12 could not be read"],
  ["search_spans", { trace_id, text: "e" }, "1 of 1 traces read, 1 only in part."],
  [
    "get_spans",
    { trace_id, span_ids: ["span-1", "span-2"] },
    "Span span-1 could not be read: server_error.",
  ],
  ["trace_metrics", { trace_ids: [trace_id] }, "1 of 1 traces read, 1 only in part."],
])("2: nothing is left out in silence: %s %o", async (tool, args, said) => {
  const api = await openHostedApi(12);
  api.on(SPAN, ({ path }) =>
    spanAt(path) % 4 === 1 ? { status: 500 } : { body: spanDetail(spanAt(path)) },
  );
  const { call } = await connectTo(api);

  expect((await call(tool, args)).text).toContain(said);
});

test("2: get_spans says that a plan withholds what it does not show", async () => {
  const api = await openHostedApi(2);
  api.on("GET /v4/traces/*", { body: { ...detailOf(2), freeplan_truncated: true } });
  const { call } = await connectTo(api);
  const { text } = await call("get_spans", { trace_id, span_ids: ["span-1"] });

  expect(text).toMatch(/\nThe account's plan withholds attributes from this trace: .*$/);
});

test("10: a rate limit is kept to, and costs time instead of spans", async () => {
  const api = await openHostedApi(70);
  api.on(
    SPAN,
    limited((path) => ({ body: spanDetail(spanAt(path)) })),
  );
  const { call } = await connectTo(api);
  const { text } = await call("trace_detail", { trace_id, view: "raw" });

  expect(JSON.parse(text).spans).toHaveLength(70);
  expect(JSON.parse(text).span_errors).toBeUndefined();
  expect(api.count(SPAN)).toBeLessThan(3 * 70);
});

test("13: an id is found as people copy it, and one that is not in yet names the tool that waits", async () => {
  const api = await openHostedApi(2);
  api.on("GET /public/v1/traces/*", ({ path }) =>
    path.endsWith(traceId) ? { body: summaryOf(2) } : traceNotFound,
  );
  const { call } = await connectTo(api);
  const copied = [
    ` ${traceId}\n`,
    traceId.toUpperCase(),
    `https://app.agentops.ai/traces/${traceId}`,
  ];

  for (const trace_id of copied) {
    expect(await call("trace_detail", { trace_id })).toHaveProperty("isError", false);
  }
  const { text } = await call("trace_detail", { trace_id: "f".repeat(32) });
  expect(text).toMatch(/^not_found: .*\n.*wait_for_trace/);
});

test("6, 14: one server reads any deployment and project, each call with its own key and URL", async () => {
  const api = await openFaultServer();
  onTestFinished(() => api[Symbol.asyncDispose]());
  api.on("POST /eu/v3/auth/token", ({ body }) => ({ body: { token: JSON.parse(body).api_key } }));
  api.on("GET /eu/v4/traces", ({ headers }) => ({
    body: { authorization: headers.authorization },
  }));
  const { call } = await connectTo(await openHostedApi(1));

  const texts = [];
  for (const AGENTOPS_API_KEY of ["key-of-one-project", "key-of-another"]) {
    texts.push(
      (await call("list_traces", { AGENTOPS_API_KEY, AGENTOPS_API_URL: `${api.url}/eu/` })).text,
    );
  }
  expect(texts).toEqual([
    '{"authorization":"Bearer key-of-one-project"}',
    '{"authorization":"Bearer key-of-another"}',
  ]);
});

test.each([
  ["trace_detail", {}],
  ["trace_detail", { view: "tree", cursor: "0" }],
  ["trace_detail", { view: "timeline" }],
  ["trace_detail", { view: "conversation" }],
  ["diagnose_trace", {}],
])("15: %s %o links to the trace in the dashboard of AgentOps Cloud", async (tool, args) => {
  const answer = ({ url }: Request) =>
    Response.json(url.endsWith("/token") ? tokenAnswer.body : detailOf(2));
  const agentOps = openAgentOps({ userAgent: "test", answer });
  onTestFinished(() => agentOps.close());
  const server = createServer({
    version: "0.0.0",
    isKeyConfigured: true,
    apiUrl: PRODUCTION_API_URL,
    limits: { maxRawTokens: 1 },
    connect: () => agentOps.client({ baseUrl: PRODUCTION_API_URL, apiKey }),
    onToolCall: () => {},
  });
  const { text } = await callerOf(await connectInProcess(server))(tool, { ...args, trace_id });

  expect(text).toContain(`\nDashboard: https://app.agentops.ai/sessions?trace_id=${traceId}\n`);
});

test("span links are shown, with where they lead", async () => {
  const local = await startLocal();
  onTestFinished(() => local.stop());
  const now = `${Date.now()}000000`;
  const consumer = {
    traceId: "ab".repeat(16),
    spanId: "1".repeat(16),
    name: "consume",
    startTimeUnixNano: now,
    endTimeUnixNano: now,
    links: [{ traceId, spanId: "2".repeat(16) }],
  };
  await fetch(`${local.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [consumer] }] }] }),
  });
  const { call } = await connectOverStdio({
    AGENTOPS_API_KEY: local.apiKey,
    AGENTOPS_API_URL: local.url,
  });
  const of = { trace_id: consumer.traceId };
  const tree = await call("trace_detail", { ...of, view: "tree" });
  const span = await call("get_spans", { ...of, span_ids: [consumer.spanId] });

  expect(tree.text).toContain("span consume 0 µs 1 link [111111]");
  expect(span.text).toContain(`links.0.trace_id=${traceId}, links.0.span_id=${"2".repeat(16)}`);
});
