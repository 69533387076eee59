import { parseArgs } from "node:util";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { openAgentOps } from "./api/agentops.js";
import { readKnownTraceIds } from "./api/agentops-log.js";
import { resolveTarget } from "./api/url-policy.js";
import { type Config, configSchema, readConfig } from "./config.js";
import { createServer } from "./server.js";

/** Set by the build from package.json. */
declare const VERSION: string;

const HELP = `mcp-server-agentops-api ${VERSION}
An MCP server that lets LLM agents read AgentOps traces. It speaks MCP on stdin and stdout.

Usage: mcp-server-agentops-api [--help | --version]

Environment:
${describeSettings()}

Add it to an MCP client:
  {
    "mcpServers": {
      "agentops": {
        "command": "npx",
        "args": ["-y", "mcp-server-agentops-api"],
        "env": { "AGENTOPS_API_KEY": "your-api-key" }
      }
    }
  }
`;

function describeSettings(): string {
  return Object.entries(configSchema.shape)
    .map(([name, schema]) => `  ${name}\n      ${schema.description}`)
    .join("\n");
}

function main(): void {
  const { help, version } = readFlags();
  if (help) process.stdout.write(HELP);
  else if (version) process.stdout.write(`${VERSION}\n`);
  else serve(readConfig(process.env));
}

function readFlags() {
  return parseArgs({
    options: {
      help: { type: "boolean", short: "h", default: false },
      version: { type: "boolean", short: "v", default: false },
    },
  }).values;
}

/** Nothing is awaited before the first request is read: a client should not notice our start. */
function serve(config: Config): void {
  if (process.stdin.isTTY) greet();

  const agentOps = openAgentOps({
    userAgent: `mcp-server-agentops-api/${VERSION}`,
    knownTraceIds: () => readKnownTraceIds(config.AGENTOPS_LOG_FILE),
  });
  const configured = {
    apiUrl: config.AGENTOPS_API_URL,
    apiKey: config.AGENTOPS_API_KEY,
    sessionCookie: config.AGENTOPS_SESSION_COOKIE,
    allowedApiUrls: config.AGENTOPS_ALLOWED_API_URLS,
  };
  const connection = serveStdio(
    () =>
      createServer({
        version: VERSION,
        isKeyConfigured: config.AGENTOPS_API_KEY !== undefined,
        limits: { maxRawTokens: config.AGENTOPS_MAX_RAW_TOKENS },
        connect: ({ AGENTOPS_API_KEY, AGENTOPS_API_URL }) =>
          agentOps.client(
            resolveTarget({ apiKey: AGENTOPS_API_KEY, apiUrl: AGENTOPS_API_URL }, configured),
          ),
        onInternalError: (tool, error) =>
          log("error", { event: "tool_failed", tool, ...fault(error) }),
      }),
    { onerror: (error) => log("warn", { event: "protocol_error", ...fault(error) }) },
  );

  const stop = () => {
    void agentOps.close();
    void connection.close();
  };
  process.stdin.once("close", stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
}

function log(level: "warn" | "error", fields: Record<string, unknown>): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, ...fields })}\n`);
}

/** Where it failed, without the message: messages of parsers and HTTP clients quote what they read. */
function fault(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const stack = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  return { error: error.name, stack: stack?.map((line) => line.trim()) };
}

/** Someone started it by hand: it would seem to hang, because it waits for a client to speak. */
function greet(): void {
  process.stderr.write(
    `mcp-server-agentops-api ${VERSION} is waiting for an MCP client on stdin.\n` +
      "You do not start it yourself: your MCP client does. Run it with --help for the configuration to paste.\n" +
      "Stop it with Ctrl-C.\n",
  );
}

try {
  main();
} catch (error) {
  // Flags and configuration: both messages are ours or Node's and name the flag or variable.
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\nRun with --help for help.\n`,
  );
  process.exitCode = 2;
}
