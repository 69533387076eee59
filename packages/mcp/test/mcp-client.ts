import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { onTestFinished } from "vitest";

export const MCP_CLI = new URL("../dist/cli.cjs", import.meta.url).pathname;

/** The clients of both protocol eras: `initialize`, and the stateless 2026-07-28. */
export const ERAS = ["legacy", { pin: "2026-07-28" }] as const;
export type Era = (typeof ERAS)[number];

export interface Connection {
  readonly client: Client;
  /** Of the server's process. */
  readonly pid: number | null;
  /** Everything the server has written to stderr so far. */
  stderr(): string;
  /** Calls a tool and returns the text of its answer. */
  call(name: string, args?: Record<string, unknown>): Promise<{ text: string; isError: boolean }>;
}

/** Starts the built server with this environment and connects the official client. Ends with the test. */
export async function connectOverStdio(
  env: Record<string, string> = {},
  era: Era = "legacy",
  cwd?: string,
): Promise<Connection> {
  const connection = await openOverStdio(env, era, cwd);
  onTestFinished(() => connection.client.close());
  return connection;
}

/** The same for many tests: whoever opens it closes its client. */
export async function openOverStdio(
  env: Record<string, string> = {},
  era: Era = "legacy",
  cwd?: string,
): Promise<Connection> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MCP_CLI],
    env,
    stderr: "pipe",
    ...(cwd !== undefined && { cwd }),
    maxBufferSize: 64 * 1024 * 1024,
  });
  let stderr = "";
  transport.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
  });

  const client = new Client(
    { name: "test", version: "1.0.0" },
    { versionNegotiation: { mode: era } },
  );
  await client.connect(transport);
  return { client, call: callerOf(client), pid: transport.pid, stderr: () => stderr };
}

/** What tests do with a connected client, over any transport. The client ends with the test. */
export function connectionOf(client: Client): Pick<Connection, "client" | "call"> {
  onTestFinished(() => client.close());
  return { client, call: callerOf(client) };
}

export function callerOf(client: Client): Connection["call"] {
  return async (name, args = {}) => {
    const { content, isError } = await client.callTool({ name, arguments: args });
    const text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
    return { text, isError: isError === true };
  };
}
