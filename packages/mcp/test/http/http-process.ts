import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { onTestFinished } from "vitest";
import { type Connection, connectionOf, type Era, MCP_CLI } from "../mcp-client.js";

export interface HttpProcess {
  /** The MCP endpoint. */
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything it has written to stdout and stderr so far. */
  output(): string;
  /** The structured lines of its log so far. */
  log(): Record<string, unknown>[];
}

/** Starts the built server with `--http` on a free port. It ends with the test. */
export async function startHttp(
  env: Record<string, string> = {},
  flags: readonly string[] = [],
): Promise<HttpProcess> {
  const args = [MCP_CLI, "--http", "--port", "0", ...flags];
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));

  let output = "";
  const collect = (chunk: Buffer) => {
    output += String(chunk);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  while (!output.includes("\n")) {
    if (child.exitCode !== null) throw new Error(`The server did not start: ${output}`);
    await Promise.race([once(child.stderr, "data"), once(child, "exit")]);
  }

  const log = () =>
    output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const [{ url }] = log();
  return { url, child, output: () => output, log };
}

/** Connects the official client over Streamable HTTP. Ends with the test. */
export async function connectOverHttp(
  url: string,
  headers: Record<string, string> = {},
  era: Era = "legacy",
): Promise<Pick<Connection, "client" | "call">> {
  return connectionOf(await openOverHttp(url, headers, era));
}

/** The same without a test: whoever opens it closes it. */
export async function openOverHttp(
  url: string,
  headers: Record<string, string>,
  era: Era,
): Promise<Client> {
  const client = new Client(
    { name: "test", version: "1.0.0" },
    { versionNegotiation: { mode: era } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
  );
  return client;
}
