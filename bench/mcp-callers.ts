import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const MCP_CLI = fileURLToPath(new URL("../packages/mcp/dist/cli.cjs", import.meta.url));
const API_KEY = "11111111-2222-4333-8444-555555555555";
/** Shorter than the 5 s after which Node's servers close an idle connection, be it under a request. */
const IDLE_CONNECTION_MS = 4_000;
const agent = new Agent({ keepAlive: true, timeout: IDLE_CONNECTION_MS });

/** Calls a tool of the built server without a client library, whose work would be measured too. */
export interface Caller extends Disposable {
  call(tool: string, args: object): Promise<void>;
}

export async function openStdio(apiUrl: string): Promise<Caller> {
  const child = spawn(process.execPath, [MCP_CLI], {
    env: { AGENTOPS_API_URL: apiUrl, AGENTOPS_API_KEY: API_KEY },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const waiting: ((answer: string) => void)[] = [];
  createInterface(child.stdout).on("line", (line) => waiting[JSON.parse(line).id]?.(line));

  function ask(method: string, params?: object): Promise<string> {
    const id = waiting.length;
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    return new Promise((resolve) => waiting.push(resolve));
  }

  // Answered by the server itself, so it has loaded.
  requireResult(await ask("ping"));
  return {
    call: async (tool, args) =>
      requireResult(await ask("tools/call", { name: tool, arguments: args })),
    [Symbol.dispose]: () => child.stdin.end(),
  };
}

export async function openHttp(apiUrl: string): Promise<Caller> {
  const child = spawn(process.execPath, [MCP_CLI, "--http", "--port", "0"], {
    env: { AGENTOPS_API_URL: apiUrl },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const [started] = await once(child.stderr, "data");
  child.stderr.resume();
  const url = new URL(JSON.parse(String(started)).url);
  const headers = {
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
    "x-agentops-api-key": API_KEY,
  };

  return {
    async call(tool, args) {
      const params = { name: tool, arguments: args };
      const body = JSON.stringify({ jsonrpc: "2.0", id: 0, method: "tools/call", params });
      requireResult(await send(url, { method: "POST", headers }, body));
    },
    [Symbol.dispose]: () => child.kill(),
  };
}

/** The request that a call makes, over the same kept-alive connections of `node:http`. */
export async function send(url: URL, options: object, body?: string): Promise<string> {
  const outgoing = request(url, { ...options, agent }).end(body);
  const [incoming] = await once(outgoing, "response");
  return await text(incoming);
}

function requireResult(answer: string): void {
  if (!answer.includes('"result"') || answer.includes('"isError":true')) throw new Error(answer);
}
