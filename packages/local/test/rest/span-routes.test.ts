import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseTrace } from "../../../mcp/src/api/parse-trace.js";
import { agentNameOf, agentopsKind } from "../../../mcp/src/trace/agentops-kind.js";
import {
  aggregateMetrics,
  type MetricsGroup,
  type MetricsRow,
} from "../../../mcp/src/trace/metrics.js";
import { toolOf } from "../../../mcp/src/trace/span-io.js";
import { summarizeTrace } from "../../../mcp/src/trace/summary.js";
import { buildTree, type SpanTree } from "../../../mcp/src/trace/tree.js";
import { sendSampleRuns } from "../../src/sample/send.js";
import { defaultProjectId, startTestServer, type TestServer } from "../harness.js";
import {
  exportOf,
  type KeyValue,
  newTraceId,
  type OtlpSpan,
  spanAt,
  text,
  toJson,
} from "../otlp-message.js";

let server: TestServer;
let traceIds: string[];
beforeAll(async () => {
  server = await startTestServer();
  traceIds = await sendSampleRuns({ url: server.url });
  for (const spans of [
    crew,
    mixed,
    ask,
    like,
    ...wrapped,
    nested,
    twice,
    ended,
    disagreeing,
    remote,
  ]) {
    const headers = { "content-type": "application/json" };
    await fetch(`${server.url}/v1/traces`, {
      method: "POST",
      headers,
      body: toJson(exportOf(...spans)),
    });
    // What is nested has its own test.
    if (spans !== nested && spans !== twice)
      traceIds.push(...new Set(spans.map(({ traceId }) => traceId)));
  }
});
afterAll(() => server.close());

const attributes = (values: Record<string, string>): KeyValue[] =>
  Object.entries(values).map(([key, value]) => text(key, value));
const usage = (tokens: number, usd?: number) => ({
  "gen_ai.usage.prompt_tokens": String(tokens),
  "gen_ai.usage.completion_tokens": "1",
  ...(usd !== undefined && { "gen_ai.usage.total_cost": String(usd) }),
});

function spanOf(
  traceId: string,
  spanId: string,
  fields: Partial<OtlpSpan> & { values?: Record<string, string>; at?: number },
): OtlpSpan {
  const { values = {}, at = 0, ...rest } = fields;
  return spanAt(at, 10 + at, {
    traceId,
    spanId: spanId.padStart(16, "0"),
    attributes: attributes(values),
    ...rest,
  });
}

// CrewAI: the root reports what its two model calls used, again.
const crewId = newTraceId();
const crewRoot = "c0".padStart(16, "0");
const crew = [
  spanOf(crewId, "c0", {
    name: "crewai.workflow",
    values: {
      "agentops.span.kind": "workflow",
      ...usage(20, 0.4),
      "gen_ai.usage.completion_tokens": "2",
    },
  }),
  spanOf(crewId, "c1", {
    name: "Writer.agent",
    parentSpanId: crewRoot,
    at: 1,
    values: { "agent.role": "Writer", "agentops.span.kind": "agent" },
  }),
  spanOf(crewId, "c2", {
    name: "gpt-4o.llm",
    parentSpanId: "c1".padStart(16, "0"),
    at: 2,
    values: { "gen_ai.request.model": "gpt-4o", ...usage(10, 0.2) },
  }),
  spanOf(crewId, "c3", {
    name: "gpt-4o.llm",
    parentSpanId: "c1".padStart(16, "0"),
    at: 3,
    values: { "gen_ai.request.model": "gpt-4o", ...usage(10, 0.2) },
  }),
];

// A model asks for tools inside its call; one runs, told by two instrumentations, and one does not.
const askId = newTraceId();
const inside = (parent: string) => ({ parentSpanId: parent.padStart(16, "0") });
const ask = [
  spanOf(askId, "e0", { name: "run.workflow" }),
  spanOf(askId, "e1", { name: "gpt.llm", ...inside("e0"), at: 1, values: usage(5, 0.1) }),
  spanOf(askId, "e2", { name: "tool_call.search", ...inside("e1"), at: 2 }),
  spanOf(askId, "e3", { name: "tool_call.lookup", ...inside("e1"), at: 3 }),
  spanOf(askId, "e4", { name: "search.tool", ...inside("e0"), at: 4 }),
  spanOf(askId, "e5", { name: "execute_tool search", ...inside("e4"), at: 6 }),
];

// The same span ids in two traces: what is a model's request in one is a tool's own span in the other.
const likeId = newTraceId();
const like = [
  spanOf(likeId, "e1", { name: "lookup.tool" }),
  spanOf(likeId, "e2", { name: "tool_call.lookup", ...inside("e1"), at: 1 }),
  spanOf(likeId, "e3", { name: "tool_call.search", ...inside("e1"), at: 2 }),
  spanOf(likeId, "e4", { name: "gpt.llm", at: 3 }),
  spanOf(likeId, "e5", { name: "execute_tool search", ...inside("e4"), at: 4 }),
  spanOf(likeId, "e6", { name: "execute_tool lone", ...inside("e4"), at: 5 }),
];

// LangChain's model call around a retry around the provider's: both report.
const nestedId = newTraceId();
const nested = [
  spanOf(nestedId, "f0", { name: "ChatOpenAI.llm", values: usage(9, 0.3) }),
  spanOf(nestedId, "f1", { name: "retry.task", ...inside("f0"), at: 1 }),
  spanOf(nestedId, "f2", { name: "openai.chat", ...inside("f1"), at: 2, values: usage(9, 0.3) }),
];

// Agents that report the tokens of their model call, or more than those, and no cost.
const wrapped = [
  { reported: 8, usd: 0.0135 },
  { reported: 8, usd: undefined },
  { reported: 12, usd: 0.0135 },
].map(({ reported, usd }) => {
  const traceId = newTraceId();
  return [
    spanOf(traceId, "a0", { name: "Shopper.agent", values: usage(reported) }),
    spanOf(traceId, "a1", { name: "gpt.llm", ...inside("a0"), at: 1, values: usage(8, usd) }),
  ];
});

// A session reports what its agent reports, which is what the model call used.
const twiceId = newTraceId();
const twice = [
  spanOf(twiceId, "b0", { name: "run.session", values: usage(8) }),
  spanOf(twiceId, "b1", { name: "Shopper.agent", ...inside("b0"), at: 1, values: usage(8) }),
  spanOf(twiceId, "b2", { name: "gpt.llm", ...inside("b1"), at: 2, values: usage(8, 0.0135) }),
];

// What a run says of itself, its root's status and that of a span below; a session inside it fails.
const OK = 1;
const FAILED = 2;
const saying = (endState: string) => ({ "agentops.session.end_state": endState });
const ended = (
  [
    ["Success", 0, 0],
    ["Success", FAILED, FAILED],
    ["Fail", OK, OK],
    ["Error", OK, 0],
    ["Indeterminate", 0, OK],
    ["Indeterminate", 0, FAILED],
    ["Shutdown", 0, OK],
    ["", OK, 0],
    ["", 0, 0],
  ] as const
).flatMap(([endState, root, below]) => {
  const id = newTraceId();
  const fields = { ...inside("a0"), at: 1, status: { code: below }, values: saying("Error") };
  return [
    spanOf(id, "a0", { name: "run.session", status: { code: root }, values: saying(endState) }),
    spanOf(id, "a1", { name: "inner.session", ...fields }),
  ];
});
// Two roots that disagree.
const disagreeingId = newTraceId();
const disagreeing = [
  spanOf(disagreeingId, "a0", { name: "first.session", values: saying("Success") }),
  spanOf(disagreeingId, "a1", { name: "second.session", at: 1, values: saying("Fail") }),
];
// One whose parent is traced elsewhere.
const remote = [
  spanOf(newTraceId(), "a2", {
    ...inside("a0"),
    status: { code: FAILED },
    values: saying("Success"),
  }),
];

// One span of each way to tell a kind, a tool and an agent.
const mixedId = newTraceId();
const ways: [string, Record<string, string>][] = [
  ["langchain", { "span.kind": "Chain" }],
  ["crew", { "agentops.span.kind": "tool.usage" }],
  ["refined", { "agentops.span.kind": "workflow.step" }],
  ["made.up", { "agentops.span.kind": "made.up" }],
  ["send.request", {}],
  ["op", { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "grep" }],
  ["search.tool", { "agentops.entity.name": "Search" }],
  ["tool_call.search", {}],
  ["execute_tool search", {}],
  ["adk.agent.planner", {}],
  ["Planner.agno.agent.run.agent", {}],
  ["openai.chat.completion", { "llm.model": "gpt-4" }],
  ["anthropic.messages.stream", {}],
  ["langgraph.graph.compile", {}],
  ["langgraph.node.execute", {}],
  ["handoff", { from_agent: "a", to_agent: "b" }],
  ["trace", { "workflow.step.type": "trace" }],
  ["check", { "agentops.guardrail.spec": "input" }],
  ["plain", { "tool.name": "hammer", "tool.parameters": "A Rare Needle" }],
  ["model", { "gen_ai.request.model": "o3-mini", ...usage(7) }],
  ["nothing", {}],
];
const mixed = ways.map(([name, values], index) =>
  spanOf(mixedId, `d${index.toString(16).padStart(2, "0")}`, {
    name,
    values,
    at: index,
    ...(index % 5 === 0 && { status: { code: 2, message: "It Broke" } }),
  }),
);

async function trees(ids: readonly string[]): Promise<SpanTree[]> {
  const details = await Promise.all(ids.map((id) => server.read(`/v4/traces/${id}`)));
  return details.map(({ body }) => buildTree(parseTrace(JSON.stringify(body))));
}

async function search(query: Record<string, string> | [string, string][]) {
  return await server.read(`/v4/spans/search?${new URLSearchParams(query)}`);
}
const names = async (query: Record<string, string> | [string, string][]) =>
  (await search(query)).body.spans.map((span: { span_name: string }) => span.span_name);

test("/health says that there are both", async () => {
  const { body } = await server.read("/health");
  expect(body.capabilities).toEqual(expect.arrayContaining(["spans.search", "spans.metrics"]));
});

describe("a span's kind, tool and agent are those of the MCP server's span tree", () => {
  test.each(ways.map(([name], index) => [name, index] as const))("%s", async (_name, index) => {
    const [tree] = await trees([mixedId]);
    const node = tree?.byId.get(mixed[index]?.spanId ?? "");
    if (!node) throw new Error("The span is not in its trace.");
    const kind = agentopsKind(node.span);
    const tool = toolOf(node.span, kind)?.name;
    const agent = agentNameOf(node.span, kind);
    const query = { trace_id: mixedId, kind, ...(tool && { tool }), ...(agent && { agent }) };
    const { body } = await search(query);
    expect(body.spans.map((span: { span_id: string }) => span.span_id)).toContain(node.span.spanId);
  });
});

describe("metrics are those of the MCP server's span tree", () => {
  async function both(group: MetricsGroup) {
    const query = traceIds.map((id) => `trace_id=${id}`).join("&");
    const { body } = await server.read(`/v4/spans/metrics?group_by=${group}&${query}`);
    const rows: WireRow[] = body.rows;
    return {
      server: rows.map(ofWire).sort(byKey),
      tree: aggregateMetrics(await trees(traceIds), group)
        .map(ofTree)
        .sort(byKey),
    };
  }

  test.each(["all", "model", "tool", "status", "day"] as const)("by %s", async (group) => {
    const { server, tree } = await both(group);
    expect(server).toEqual(tree);
  });

  test("unpriced calls are listed as the tree counts them, without wrappers that tell of them again", async () => {
    const { body } = await server.read("/v4/traces?limit=100");
    const counts = new Map<string, number>(
      body.traces.map((trace: ListedTrace) => [trace.trace_id, trace.unpriced_count]),
    );
    const ids = [...traceIds, twiceId];
    expect(ids.map((id) => counts.get(id))).toEqual(
      (await trees(ids)).map((tree) => summarizeTrace(tree).usage.unpricedCount),
    );
    const wrappedIds = [...wrapped, twice].map(([root]) => root?.traceId ?? "");
    expect(wrappedIds.map((id) => counts.get(id))).toEqual([0, 1, 1, 0]);
  });

  test("and the list and the dashboard count traces by status as they do", async () => {
    const { body } = await server.read("/v4/spans/metrics?group_by=status");
    const count = (key: string) => body.rows.find((row: WireRow) => row.key === key)?.count;
    const counts = [count("ok"), count("failed"), count("unknown")];
    expect(Math.min(...counts)).toBeGreaterThan(0);

    const { metrics } = (await server.read("/v4/traces?limit=1")).body;
    expect([metrics.success_count, metrics.fail_count, metrics.indeterminate_count]).toEqual(
      counts,
    );
    const dashboard = (await server.read(`/v4/meterics/project/${defaultProjectId}`)).body;
    expect([
      dashboard.success_datetime.length,
      dashboard.fail_datetime.length,
      dashboard.indeterminate_datetime.length,
    ]).toEqual(counts);
  });

  test("by span name, but for what wrappers report again", async () => {
    const { server, tree } = await both("span_name");
    const withoutUsage = ({ usage: _, ...row }: Comparable) => row;
    expect(server.map(withoutUsage)).toEqual(tree.map(withoutUsage));
  });

  test.each([
    { of: "spans that report only their own", id: askId, group: "all", count: 0 },
    { of: "a root that reports the sum of its calls", id: crewId, group: "all", count: 1 },
    { of: "such a root, where calls alone are counted", id: crewId, group: "model", count: 0 },
    { of: "a model call deep inside another", id: nestedId, group: "model", count: 1 },
  ])("nested_count tells of $of by $group: $count", async ({ id, group, count }) => {
    const { body } = await server.read(`/v4/spans/metrics?group_by=${group}&trace_id=${id}`);
    expect(body.nested_count).toBe(count);
  });

  test.each([
    {
      of: "a request that runs, and the run told twice, once",
      id: askId,
      tools: { lookup: 1, search: 1 },
    },
    {
      of: "the same span ids in another trace by that trace",
      id: likeId,
      tools: { lone: 1, lookup: 1, search: 1 },
    },
  ])("tool calls count $of", async ({ id, tools }) => {
    const { body } = await server.read(`/v4/spans/metrics?group_by=tool&trace_id=${id}`);
    const rows: WireRow[] = body.rows;
    expect(Object.fromEntries(rows.map(({ key, count }) => [key, count]))).toEqual(tools);
  });

  test("nested_count is null where no trace is named", async () => {
    const { body } = await server.read("/v4/spans/metrics");
    expect(body.nested_count).toBeNull();
  });

  interface ListedTrace {
    trace_id: string;
    unpriced_count: number;
  }

  interface WireRow {
    key: string | null;
    count: number;
    error_count: number;
    duration_ns: { p50: number; p95: number; p99: number; max: number; total: number };
    prompt_tokens: number;
    completion_tokens: number;
    total_tokens: number;
    total_cost: number | null;
    unpriced_count: number;
  }

  type Comparable = ReturnType<typeof ofWire>;

  function ofWire(row: WireRow) {
    const { p50, p95, p99, max } = row.duration_ns;
    return {
      key: row.key ?? "",
      counts: [row.count, row.error_count],
      durationsNs: [p50, p95, p99, max],
      usage: [
        row.prompt_tokens,
        row.completion_tokens,
        row.total_tokens,
        usd(row.total_cost),
        row.unpriced_count,
      ],
    };
  }

  function ofTree(row: MetricsRow): Comparable {
    const { p50Ms, p95Ms, p99Ms, maxMs } = row.duration;
    const { tokens, costUsd, unpricedCount } = row.usage;
    return {
      key: row.key ?? "",
      counts: [row.count, row.errorCount],
      durationsNs: [p50Ms, p95Ms, p99Ms, maxMs].map((ms) => Math.round(ms * 1e6)),
      usage: [tokens.input, tokens.output, tokens.total, usd(costUsd ?? null), unpricedCount],
    };
  }

  /** Sums of doubles differ in their last digits by the order of adding. */
  const usd = (cost: number | null) => (cost === null ? null : Number(cost.toFixed(9)));
  const byKey = (a: Comparable, b: Comparable) => a.key.localeCompare(b.key);
});

test("a parent that reports its children's sum is not added to it", async () => {
  const { body } = await server.read(`/v4/traces/${crewId}`);
  expect(body.metrics).toMatchObject({ total_tokens: 22, total_cost: "0.4000000" });
});

describe("a search", () => {
  test("finds text in attributes, status and names, in any case, and parts of words", async () => {
    expect(await names({ text: "rare needle" })).toEqual(["plain"]);
    expect(await names({ text: "ARE NEED" })).toEqual(["plain"]);
    expect(await names({ text: "it broke", trace_id: mixedId })).toHaveLength(5);
    expect(await names({ text: "messages.str" })).toEqual(["anthropic.messages.stream"]);
    expect(await names({ text: "100%_" })).toEqual([]);
  });

  test("filters by what spans are", async () => {
    const inMixed = { trace_id: mixedId };
    expect(await names({ ...inMixed, status: "error" })).toHaveLength(5);
    expect(await names({ ...inMixed, model: "O3" })).toEqual(["model"]);
    expect(await names({ ...inMixed, name: "LANGGRAPH" })).toHaveLength(2);
    expect(await names({ ...inMixed, min_duration_ms: "2.95e1" })).toEqual(["nothing"]);
    expect(await names({ trace_id: crewId, min_cost_usd: "0.3" })).toEqual(["crewai.workflow"]);
    expect(await names({ attribute: "tool.parameters=rare" })).toEqual(["plain"]);
    expect(
      await names([
        ["attribute", "from_agent"],
        ["attribute", "to_agent=b"],
      ]),
    ).toEqual(["handoff"]);
    expect(await names({ ...inMixed, end_time: "2026-01-02T03:04:05.124Z" })).toEqual([
      "langchain",
    ]);
  });

  test("goes through all spans page by page, newest first, each once", async () => {
    const seen = await inPages({ trace_id: mixedId });
    expect(seen.map(({ span_name }) => span_name)).toEqual(ways.map(([name]) => name).reverse());
  });

  test("goes through spans of several traces that start together and hold a text, each once", async () => {
    const query = {
      text: "e",
      start_time: "2026-01-02T03:04:05Z",
      end_time: "2026-01-02T03:04:06Z",
    };
    const { body } = await search({ ...query, limit: "100" });
    expect(body.spans.length).toBeGreaterThan(ways.length);
    expect(await inPages(query)).toEqual(body.spans);
  });

  async function inPages(query: Record<string, string>) {
    const seen: { span_name: string }[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const { body } = await search({ ...query, limit: "7", ...(cursor && { cursor }) });
      seen.push(...body.spans);
      cursor = body.next_cursor;
    }
    return seen;
  }

  test("answers spans as their trace lists them", async () => {
    const { body: found } = await search({ text: "rare needle" });
    const { trace_id, agentops_kind, ...span } = found.spans[0];
    const { body: trace } = await server.read(`/v4/traces/${mixedId}`);
    expect({ trace_id, agentops_kind }).toEqual({ trace_id: mixedId, agentops_kind: "tool" });
    expect(trace.spans).toContainEqual(span);
  });

  test.each([
    ["limit=0", "limit", "greater_than_equal"],
    ["limit=101", "limit", "less_than_equal"],
    ["status=fine", "status", "literal_error"],
    ["kind=fine", "kind", "literal_error"],
    ["min_cost_usd=much", "min_cost_usd", "float_parsing"],
    ["text=gpt%00o", "text", "null_character"],
    ["min_cost_usd=1e13", "min_cost_usd", "less_than_equal"],
    ["min_cost_usd=1e", "min_cost_usd", "float_parsing"],
    ["min_duration_ms=-1", "min_duration_ms", "greater_than_equal"],
    ["min_duration_ms=18446744073710", "min_duration_ms", "less_than_equal"],
    [`min_cost_usd=1${"0".repeat(20)}`, "min_cost_usd", "less_than_equal"],
    [`min_cost_usd=${"9".repeat(400)}`, "min_cost_usd", "float_parsing"],
    ["text=", "text", "string_too_short"],
    ["trace_id=a&".repeat(401), "trace_id", "too_long"],
    ["start_time=yesterday", "start_time", "datetime_parsing"],
    ["cursor=zzz", "cursor", "value_error"],
    ["min_cost=1", "min_cost", "extra_forbidden"],
  ])("refuses ?%s", async (query, field, type) => {
    const { status, body } = await server.read(`/v4/spans/search?${query}`);
    expect(status).toBe(422);
    expect(body).toEqual({
      detail: [{ type, loc: ["query", field], msg: expect.stringMatching(/^\w.+/), input: null }],
    });
  });

  test("refuses an attribute without a key", async () => {
    for (const attribute of ["=text", ""]) {
      const { status, body } = await server.read(`/v4/spans/search?attribute=${attribute}`);
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([
        { type: "missing_key", loc: ["query", "attribute", 0], msg: expect.stringMatching(/key/) },
      ]);
    }
  });

  test("refuses a cursor past what times may be", async () => {
    const cursor = (time: string) =>
      Buffer.from(`${time}.${mixedId}.0ddba11000000001`).toString("base64url");
    const statusOf = async (time: string) =>
      (await server.read(`/v4/spans/search?cursor=${cursor(time)}`)).status;
    expect(await statusOf("9223372036854775807")).toBe(200);
    expect(await statusOf("9223372036854775808")).toBe(422);
  });

  test("refuses a trace id that is none", async () => {
    for (const path of ["/v4/spans/search", "/v4/spans/metrics"]) {
      const { status, body } = await server.read(`${path}?trace_id=xyz&trace_id=${mixedId}`);
      expect(status).toBe(422);
      expect(body.detail).toMatchObject([
        { type: "string_pattern_mismatch", loc: ["query", "trace_id", 0] },
      ]);
    }
    expect(await names({ trace_id: mixedId.toUpperCase(), model: "o3" })).toEqual(["model"]);
  });

  test("names every wrong parameter, with what it may be, as the docs spell it", async () => {
    const { body } = await server.read("/v4/spans/search?kind=fine&status=fine");
    expect(body.detail.map(({ msg }: { msg: string }) => msg)).toEqual([
      "Input should be one of session, workflow, agent, task, chain, llm, tool, handoff, guardrail, http, unknown",
      "Input should be one of ok, error, unset",
    ]);
  });

  test("needs a token", async () => {
    expect((await server.get("/v4/spans/search")).status).toBe(401);
    expect((await server.get("/v4/spans/metrics")).status).toBe(401);
  });
});
