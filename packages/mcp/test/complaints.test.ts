import { expect, onTestFinished, test } from "vitest";
import {
  type Answer,
  type FaultServer,
  openFaultServer,
  type ReceivedRequest,
} from "./api/fault-server.js";
import { apiKey, scriptPublicGeneration, spanDetail, traceId } from "./api/scripts.js";
import { connectOverStdio } from "./mcp-client.js";

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
  ["trace_metrics", { trace_ids: [trace_id] }, "1 of 1 traces read, 1 only in part."],
])("2: nothing is left out in silence: %s %o", async (tool, args, said) => {
  const api = await openHostedApi(12);
  api.on(SPAN, ({ path }) =>
    spanAt(path) % 4 === 1 ? { status: 500 } : { body: spanDetail(spanAt(path)) },
  );
  const { call } = await connectTo(api);

  expect((await call(tool, args)).text).toContain(said);
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
