import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectGenerated } from "../../../../test/generated.js";
import { openAgentOps } from "../../src/api/agentops.js";
import { PRODUCTION_API_URL } from "../../src/api/url-policy.js";
import { createServer } from "../../src/server.js";
import type { FaultServer } from "../api/fault-server.js";
import { apiKey, traceId } from "../api/scripts.js";
import { type Connection, callerOf, openOverStdio } from "../mcp-client.js";
import { connectInProcess } from "../tools/scripted-api.js";
import { type Bound, type Fault, faults, heal, hugeAnswers, openApis } from "./faults.js";
import { stages } from "./stages.js";

/** In place of 30 s for one request and 50 s for one call, which is what the built server has. */
const SHORT = { requestTimeoutMs: 300, callDeadlineMs: 700 };

/** What `within` means here: at least and at most, in milliseconds. */
const BOUNDS_MS: Readonly<Record<Bound, readonly [number, number]>> = {
  "2 s": [0, 2_000],
  "as asked": [1_000, 4_000],
  "30 s": [SHORT.requestTimeoutMs, SHORT.requestTimeoutMs + 1_000],
  "50 s": [SHORT.callDeadlineMs, SHORT.callDeadlineMs + 1_000],
};

/** The most that the built server may hold, whatever it is sent. */
const MAX_RSS_MB = 500;

type Call = Connection["call"];
type Answer = Awaited<ReturnType<Call>>;

/** The rows of the page, by fault. */
const rows = new Map<string, string>();

let built: Connection;
beforeAll(async () => {
  built = await openOverStdio();
});
afterAll(() => built.client.close());

/** Deadlines pass in a server of this process, which can be given shorter ones. */
async function callFor({ within }: Fault, url: string): Promise<Call> {
  const credential = { AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: url };
  if (within === "2 s" || within === "as asked") {
    return (tool, args) => built.call(tool, { ...args, ...credential });
  }
  const agentOps = openAgentOps({ userAgent: "test", limits: SHORT });
  const server = createServer({
    version: "0.0.0",
    isKeyConfigured: true,
    apiUrl: PRODUCTION_API_URL,
    limits: { maxRawTokens: 10_000 },
    connect: () => agentOps.client({ baseUrl: url, apiKey }),
    onToolCall: () => {},
  });
  return callerOf(await connectInProcess(server));
}

function argumentsOf({ tool, args }: Fault): Record<string, string> {
  return { ...(tool === "trace_detail" && { trace_id: traceId }), ...args };
}

function requestsOf(api: FaultServer, other: FaultServer): string {
  const tokens = api.count("POST /v3/auth/token");
  return `${tokens} + ${api.requests.length - tokens + other.requests.length}`;
}

/** What the caller reads, without what differs from one run to the next. */
function told({ text, isError }: Answer, url: string): string {
  if (isError) {
    const [, code, message] = /^(\w+): (.*)\n/.exec(text) ?? [];
    return `\`${code}\`: ${message?.replace(new URL(url).host, "HOST")}`;
  }
  const failed = /"span_errors":(\[[^\]]*\])/.exec(text)?.[1];
  if (failed) return `the trace; \`span_errors\` names ${JSON.parse(failed).length} span`;
  return text.startsWith("{") ? "the answer" : "the trace as a tree";
}

function record(fault: Fault, answer: string, requests: string): void {
  rows.set(fault.what, `| ${fault.what} | ${answer} | ${requests} | ${fault.within} |`);
}

describe("a fault has an answer, in time, and is over when it is over:", () => {
  test.concurrent.for(faults)("$what", async (fault, { expect }) => {
    await using apis = await openApis();
    const { api, other } = apis;
    fault.script(api, other);
    const url = (await fault.url?.()) ?? api.url;
    const call = await callFor(fault, url);

    const startedAtMs = performance.now();
    const answer = await call(fault.tool, argumentsOf(fault));
    const tookMs = performance.now() - startedAtMs;
    const [atLeast, atMost] = BOUNDS_MS[fault.within];
    expect(tookMs).toBeGreaterThanOrEqual(atLeast);
    expect(tookMs).toBeLessThan(atMost);
    expect(answer.text).not.toMatch(/html|passwd|internal_error/);
    record(fault, told(answer, url), requestsOf(api, other));

    heal(api);
    if (url === api.url)
      expect(await call(fault.tool, argumentsOf(fault))).toHaveProperty("isError", false);
  });
});

describe("however much is sent, memory is bounded:", () => {
  test.each(hugeAnswers)("$what", async (fault) => {
    await using apis = await openApis();
    const { api, other } = apis;
    fault.script(api, other);
    const credential = { AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: api.url };

    const answer = await built.call(fault.tool, { ...argumentsOf(fault), ...credential });
    record(fault, told(answer, api.url), requestsOf(api, other));
    expect(await peakRssMb()).toBeLessThan(MAX_RSS_MB);
  });
});

/** The most memory that the built server has held so far. */
async function peakRssMb(): Promise<number> {
  const status = await readFile(`/proc/${built.pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

test("docs/reliability.md says so (npm run test:update rewrites it)", async () => {
  const table = [
    "| What happens | What the caller gets | Requests | Within |",
    "|---|---|---|---|",
    ...[...faults, ...hugeAnswers].map(({ what }) => rows.get(what)),
  ];
  await expectGenerated("docs/reliability.md", "faults", table.join("\n"));
  const moments = stages.map(({ when }) => `- ${when}`);
  await expectGenerated("docs/reliability.md", "cancelled", moments.join("\n"));
});
