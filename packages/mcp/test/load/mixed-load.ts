import { readFile } from "node:fs/promises";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { traceId } from "../api/scripts.js";
import { type Connection, callerOf } from "../mcp-client.js";
import { MARKERS, type Tenant } from "./tenant-api.js";

export interface Load {
  /** Each calls on its own, with its own key, one call after the other. */
  readonly tenants: readonly Tenant[];
  readonly mcpUrl: string;
  /** Of the server's process, whose memory is watched. */
  readonly pid: number;
  readonly seconds: number;
}

export interface LoadReport {
  readonly callCount: number;
  /** Calls that ended with a code, by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Answers that were neither right nor a code that a fault leads to: what they were. */
  readonly wrong: readonly string[];
  /** Answers with something of another tenant. */
  readonly strayCount: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Resident memory in MB, twenty times over the run; empty where the system does not tell. */
  readonly rssMb: readonly number[];
}

/** A call, and all of its answer where that is known to the byte. */
interface Step {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly answer?: (tenant: Tenant) => string;
}

const steps: readonly Step[] = [
  { tool: "list_traces", args: {}, answer: ({ listBody }) => listBody },
  { tool: "trace_detail", args: { trace_id: traceId }, answer: ({ detailBody }) => detailBody },
  { tool: "trace_detail", args: { trace_id: traceId, view: "tree" } },
  { tool: "list_traces", args: { view: "table" } },
  { tool: "get_spans", args: { trace_id: traceId, span_ids: ["span-1"] } },
  { tool: "search_spans", args: { name: "step" } },
];

/** What the faults of the API may lead to. */
const EXPECTED_CODES = [
  "server_error",
  "rate_limited",
  "unreachable",
  "bad_response",
  "forbidden",
  "invalid_api_key",
];

const RSS_SAMPLES = 20;

/** Calls the server from many clients at once, and judges every answer. */
export async function runMixedLoad(load: Load): Promise<LoadReport> {
  const errors: Record<string, number> = {};
  const wrong: string[] = [];
  const times: number[] = [];
  let strayCount = 0;

  function judge(step: Step, tenant: Tenant, { text, isError }: Answer): void {
    const markers = text.match(MARKERS) ?? [];
    if (markers.some((marker) => marker !== tenant.marker)) strayCount += 1;
    const code = isError ? (text.split(":")[0] ?? "") : undefined;
    if (code !== undefined) errors[code] = (errors[code] ?? 0) + 1;
    if (!isRight({ step, tenant, text, code })) wrong.push(`${step.tool}: ${text}`);
  }

  const endsAt = performance.now() + load.seconds * 1000;
  async function callUntilTheEnd(tenant: Tenant, first: number): Promise<void> {
    const { client, call } = await connect(load.mcpUrl, tenant);
    for (let turn = first; performance.now() < endsAt; turn++) {
      const step = steps[turn % steps.length];
      if (!step) continue;
      const startedAt = performance.now();
      const answer = await call(step.tool, step.args);
      times.push(performance.now() - startedAt);
      judge(step, tenant, answer);
    }
    await client.close();
  }

  const rssMb: number[] = [];
  const watch = setInterval(
    async () => rssMb.push(...(await readRssMb(load.pid))),
    (load.seconds * 1000) / RSS_SAMPLES,
  );
  await Promise.all(load.tenants.map(callUntilTheEnd));
  clearInterval(watch);

  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? Number.NaN;
  return {
    callCount: times.length,
    errors,
    wrong,
    strayCount,
    medianMs: at(0.5),
    p99Ms: at(0.99),
    rssMb,
  };
}

type Answer = Awaited<ReturnType<Connection["call"]>>;

interface Outcome {
  readonly step: Step;
  readonly tenant: Tenant;
  readonly text: string;
  readonly code: string | undefined;
}

function isRight({ step, tenant, text, code }: Outcome): boolean {
  if (code !== undefined) return EXPECTED_CODES.includes(code);
  return step.answer ? text === step.answer(tenant) : text.includes(tenant.marker);
}

async function connect(url: string, tenant: Tenant) {
  const client = new Client({ name: "load", version: "1.0.0" });
  const headers = { "X-Agentops-Api-Key": tenant.apiKey };
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  return { client, call: callerOf(client) };
}

async function readRssMb(pid: number): Promise<readonly number[]> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const kb = /VmRSS:\s+(\d+)/.exec(status)?.[1];
  return kb === undefined ? [] : [Number(kb) / 1024];
}
