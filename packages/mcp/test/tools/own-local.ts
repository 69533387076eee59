import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { type RunningLocal, startLocal } from "../../../../test/start-local.js";
import { type Connection, connectOverStdio } from "../mcp-client.js";
import type { Run } from "../runs/run.js";
import { sendRuns } from "../runs/send.js";
import { weekOfRuns } from "../runs/week.js";

interface ConnectOptions {
  /** Reads the same server as if it offered no more than AgentOps. */
  readonly hidesCapabilities?: boolean;
}

interface LocalConnection extends Connection {
  readonly apiUrl: string;
}

export function localWithWeek() {
  return localWithRuns(weekOfRuns);
}

/**
 * A real agentops-local for all tests of a file, which holds these runs and nothing else. Returns how a
 * test connects to the built server that reads it.
 */
export function localWithRuns(
  runsUpTo: (nowUnixMs: number) => readonly Run[],
): (options?: ConnectOptions) => Promise<LocalConnection> {
  let local: RunningLocal | undefined;
  beforeAll(async () => {
    local = await startLocal();
    await sendRuns(local.url, runsUpTo(Date.now()));
  });
  afterAll(() => local?.stop());

  return async ({ hidesCapabilities = false } = {}) => {
    if (local === undefined) throw new Error("agentops-local is not running");
    const url = hidesCapabilities ? await openPlainProxy(local.url) : local.url;
    const env = { AGENTOPS_API_KEY: local.apiKey, AGENTOPS_API_URL: url };
    return { ...(await connectOverStdio(env)), apiUrl: url };
  };
}

/** Passes everything on but what `/health` says: no real server can be told not to offer what it has. */
async function openPlainProxy(target: string): Promise<string> {
  const proxy = createServer(async (incoming, outgoing) => {
    const { method = "GET", url = "/", headers } = incoming;
    const { authorization = "", "content-type": contentType = "" } = headers;
    const body = await text(incoming);
    const answer = await fetch(target + url, {
      method,
      headers: { authorization, "content-type": contentType },
      ...(body !== "" && { body }),
    });
    outgoing.writeHead(answer.status, { "content-type": "application/json" });
    outgoing.end(url === "/health" ? '{"capabilities": []}' : await answer.text());
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  const { port } = proxy.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}
