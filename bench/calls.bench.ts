/** A tool call beside the requests it makes, against an AgentOps in a process of its own. */
import { traceId } from "../packages/mcp/test/api/scripts.js";
import { openHttp, openStdio, send } from "./mcp-callers.js";
import { openUpstream } from "./open-upstream.js";
import { median, printTable, rounded } from "./report.js";
import type { UpstreamReport } from "./upstream.js";

const WARM_UP_BLOCKS = 3;
const BLOCKS = 5;
const CALLS_PER_BLOCK = 300;
const CALLS_AT_ONCE = 32;
const CONCURRENT_CALLS_PER_BLOCK = 2_000;

const SPANS = 200;
const LATENCY_MS = 100;
const TRACE_ROUNDS = 5;

await measureOverhead();
await measureTrace();

/** `list_traces` is one request, whose answer is passed on as it is. */
async function measureOverhead(): Promise<void> {
  using upstream = await openUpstream("bearer", { spans: 1, latencyMs: 0 });
  using stdio = await openStdio(upstream.url);
  using http = await openHttp(upstream.url);
  const url = new URL("/v4/traces?limit=5", upstream.url);
  const ways = [
    { what: "the request, node:http", once: () => send(url, {}) },
    { what: "the request, fetch", once: async () => (await fetch(url)).text() },
    { what: "list_traces over stdio", once: () => stdio.call("list_traces", {}) },
    { what: "list_traces over HTTP", once: () => http.call("list_traces", {}) },
  ].map((way) => ({ ...way, ms: [] as number[], perSecond: [] as number[] }));

  for (let block = 0; block < WARM_UP_BLOCKS + BLOCKS; block++) {
    for (const { once, ms, perSecond } of ways) {
      const times = await oneByOne(once);
      const rate = await atOnce(once);
      if (block >= WARM_UP_BLOCKS) {
        ms.push(...times);
        perSecond.push(rate);
      }
    }
  }

  const [bare] = ways;
  const bareMs = median(bare?.ms ?? []);
  printTable(
    `One call after the other, and ${CALLS_AT_ONCE} at once; goals 1 ms more, 1,700 calls/s`,
    ways.map(({ what, ms, perSecond }) => ({
      what,
      "median ms": rounded(median(ms), 2),
      "ms more": rounded(median(ms) - bareMs, 2),
      "calls/s": Math.round(median(perSecond)),
    })),
  );
}

async function oneByOne(once: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let call = 0; call < CALLS_PER_BLOCK; call++) times.push(await timeOf(once));
  return times;
}

async function atOnce(once: () => Promise<unknown>): Promise<number> {
  let left = CONCURRENT_CALLS_PER_BLOCK;
  const caller = async () => {
    while (left-- > 0) await once();
  };
  const ms = await timeOf(() => Promise.all(Array.from({ length: CALLS_AT_ONCE }, caller)));
  return CONCURRENT_CALLS_PER_BLOCK / (ms / 1000);
}

/** A whole trace, where it is one answer and where it is read span by span. */
async function measureTrace(): Promise<void> {
  printTable(
    `trace_detail of ${SPANS} spans from an API that takes ${LATENCY_MS} ms for each request`,
    [
      ...(await traceRows("bearer", "one answer", ["", 1])),
      ...(await traceRows("public", "/public/v1 alone", [8, 8])),
    ],
  );
}

async function traceRows(
  generation: "bearer" | "public",
  api: string,
  goals: readonly (number | string)[],
) {
  using upstream = await openUpstream(generation, { spans: SPANS, latencyMs: LATENCY_MS });
  const url = new URL("/v4/traces", upstream.url);
  const requestMs: number[] = [];
  const calls = ["first call", "next call"].map((call) => ({ call, ms: [] as number[] }));
  const reports: UpstreamReport[] = [];

  for (let round = 0; round < TRACE_ROUNDS; round++) {
    requestMs.push(await timeOf(() => send(url, {})));
    using stdio = await openStdio(upstream.url);
    await upstream.report();
    for (const [index, { ms }] of calls.entries()) {
      ms.push(await timeOf(() => stdio.call("trace_detail", { trace_id: traceId, view: "raw" })));
      reports[index] = await upstream.report();
    }
  }

  return calls.map(({ call, ms }, index) => ({
    api,
    call,
    ms: Math.round(median(ms)),
    "of one request": rounded(median(ms) / median(requestMs)),
    goal: goals[index] ?? "",
    requests: reports[index]?.requestCount ?? Number.NaN,
    "at once": reports[index]?.mostInFlight ?? Number.NaN,
  }));
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
