import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport } from "@modelcontextprotocol/server";
import { onTestFinished } from "vitest";
import { openAgentOps } from "../../src/api/agentops.js";
import { PRODUCTION_API_URL } from "../../src/api/url-policy.js";
import { createServer } from "../../src/server.js";
import type { Trace } from "../../src/trace/trace.js";
import { type FaultServer, openFaultServer } from "../api/fault-server.js";
import { apiKey, tokenAnswer, traceNotFound } from "../api/scripts.js";
import { wireRow, wireTrace } from "./wire.js";

export interface ScriptedApi {
  readonly api: FaultServer;
  readonly client: Client;
  /** Calls a tool as a host does and returns the text of its answer. */
  ask(tool: string, args?: Record<string, unknown>): Promise<{ text: string; isError: boolean }>;
}

/**
 * A deployment that lists and shows exactly these traces, newest first, and a client of our server
 * that reads it: for traces that a real deployment takes too long to be given.
 */
export async function scriptedApi(
  traces: readonly Trace[],
  { maxRawTokens = 10_000, now = Date.now, log = "" } = {},
): Promise<ScriptedApi> {
  const api = await openFaultServer();
  const agentOps = openAgentOps({ userAgent: "test", now });
  onTestFinished(async () => {
    await agentOps.close();
    await api[Symbol.asyncDispose]();
  });
  script(api, traces);
  // As the server keeps what today's SDK uploads: the upload's JSON body, as text.
  const content = JSON.stringify({ body: log });
  api.on("GET /v4/logs/*", { body: { content, freeplan_truncated: false } });

  const server = createServer({
    version: "0.0.0",
    isKeyConfigured: true,
    apiUrl: PRODUCTION_API_URL,
    limits: { maxRawTokens },
    now,
    connect: () => agentOps.client({ baseUrl: api.url, apiKey }),
    onToolCall: ({ tool, error }) => {
      if (error !== undefined) throw new Error(`${tool} failed`, { cause: error });
    },
  });
  const client = await connectInProcess(server);

  return {
    api,
    client,
    async ask(tool, args = {}) {
      const { content, isError } = await client.callTool({ name: tool, arguments: args });
      const text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
      return { text, isError: isError === true };
    },
  };
}

function script(api: FaultServer, traces: readonly Trace[]): void {
  const bodies = new Map(traces.map((trace) => [trace.traceId, JSON.stringify(wireTrace(trace))]));
  const rows = traces.map(wireRow).sort((a, b) => (a.start_time < b.start_time ? 1 : -1));

  api.on("POST /v3/auth/token", tokenAnswer);
  api.on("GET /v4/traces", ({ path }) => {
    const query = new URL(path, api.url).searchParams;
    const offset = Number(query.get("offset") ?? 0);
    const limit = Number(query.get("limit"));
    return { body: { traces: rows.slice(offset, offset + limit), total: rows.length } };
  });
  api.on("GET /v4/traces/*", ({ path }) => {
    const body = bodies.get(path.split("/").at(-1) ?? "");
    return body === undefined ? traceNotFound : { body };
  });
}

export async function connectInProcess(server: ReturnType<typeof createServer>): Promise<Client> {
  const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: "test", version: "1.0.0" });
  await Promise.all([server.connect(serverSide), client.connect(clientSide)]);
  onTestFinished(() => client.close());
  return client;
}
