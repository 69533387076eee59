import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { openAgentOps } from "./api/agentops.js";
import { readKnownTraceIds } from "./api/agentops-log.js";
import { type ConfiguredAccess, resolveTarget } from "./api/url-policy.js";
import { type Config, configSchema, readConfig, readHttpConfig } from "./config.js";
import { createLog, fault } from "./log.js";
import { createServer } from "./server.js";

/** Set by the build from package.json. */
declare const VERSION: string;

const USER_AGENT = `mcp-server-agentops-api/${VERSION}`;

const HELP = `mcp-server-agentops-api ${VERSION}
An MCP server that lets LLM agents read AgentOps traces. It speaks MCP on stdin and stdout, or over
HTTP.

Usage: mcp-server-agentops-api [--help | --version]
       mcp-server-agentops-api --http [--port 3000] [--host 127.0.0.1] [--allowed-host NAME ...]
                               [--auth-token-file FILE]

  --http             Serve MCP over Streamable HTTP at /mcp, with /health and /ready. Callers bring their
                     AgentOps key in the header X-Agentops-Api-Key and, if they need it, the URL in
                     X-Agentops-Api-Url.
  --port, --host     Where to listen. Port 0 takes any free one.
  --allowed-host     A name under which the server is reached, for its Host and Origin checks.
  --auth-token-file  A file with the secret that callers must present as "Authorization: Bearer".

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

async function main(): Promise<void> {
  const { help, version, http, ...httpFlags } = readFlags();
  if (help) process.stdout.write(HELP);
  else if (version) process.stdout.write(`${VERSION}\n`);
  else if (http) await serveHttp(readConfig(process.env), httpFlags);
  else if (Object.keys(httpFlags).length > 0) throw new Error("That flag needs --http.");
  else serveStdin(readConfig(process.env));
}

function readFlags() {
  return parseArgs({
    options: {
      help: { type: "boolean", short: "h", default: false },
      version: { type: "boolean", short: "v", default: false },
      http: { type: "boolean", default: false },
      host: { type: "string" },
      port: { type: "string" },
      "allowed-host": { type: "string", multiple: true },
      "auth-token-file": { type: "string" },
    },
  }).values;
}

const log = createLog(
  (line) => process.stderr.write(line),
  () => new Date(),
);

/** Nothing is awaited before the first request is read: a client should not notice our start. */
function serveStdin(config: Config): void {
  if (process.stdin.isTTY) greet();

  const agentOps = openAgentOps({
    userAgent: USER_AGENT,
    knownTraceIds: () => readKnownTraceIds(config.AGENTOPS_LOG_FILE),
  });
  const configured = accessOf(config);
  const connection = serveStdio(
    () =>
      createServer({
        version: VERSION,
        isKeyConfigured: configured.apiKey !== undefined,
        apiUrl: configured.apiUrl,
        limits: { maxRawTokens: config.AGENTOPS_MAX_RAW_TOKENS },
        connect: ({ AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: apiUrl }, traceContext) =>
          agentOps.client({ ...resolveTarget({ apiKey, apiUrl }, configured), traceContext }),
        onToolCall: ({ tool, error }) => {
          if (error !== undefined) log("error", { event: "tool_failed", tool, ...fault(error) });
        },
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

/** HTTP is loaded only when asked for: stdio starts sooner without it. */
async function serveHttp(config: Config, flags: Record<string, unknown>): Promise<void> {
  const httpConfig = readHttpConfig(flags, config, (path) => readFileSync(path, "utf8"));
  const [{ createMcpEndpoint }, { listen }] = await Promise.all([
    import("./mcp-endpoint.js"),
    import("./listen.js"),
  ]);
  const configured = accessOf(config);
  const { apiUrl, allowedApiUrls } = configured;
  const agentOps = openAgentOps({
    userAgent: USER_AGENT,
    publicAddressesOnly: { exceptBaseUrls: [apiUrl, ...allowedApiUrls] },
  });
  const endpoint = createMcpEndpoint({
    version: VERSION,
    agentOps,
    configured,
    limits: { maxRawTokens: config.AGENTOPS_MAX_RAW_TOKENS },
    allowedHostnames: httpConfig.allowedHostnames,
    authToken: httpConfig.authToken,
    log,
  });
  const server = await listen(endpoint, {
    ...httpConfig,
    log,
    now: () => performance.now(),
    endCalls: () => void agentOps.close(),
  });
  log("info", { event: "listening", url: `${server.url}/mcp`, version: VERSION });

  const stop = () => void server.close().then(() => agentOps.close());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
}

function accessOf(config: Config): ConfiguredAccess {
  return {
    apiUrl: config.AGENTOPS_API_URL,
    apiKey: config.AGENTOPS_API_KEY,
    sessionCookie: config.AGENTOPS_SESSION_COOKIE,
    allowedApiUrls: config.AGENTOPS_ALLOWED_API_URLS,
  };
}

/** Someone started it by hand: it would seem to hang, because it waits for a client to speak. */
function greet(): void {
  process.stderr.write(
    `mcp-server-agentops-api ${VERSION} is waiting for an MCP client on stdin.\n` +
      "You do not start it yourself: your MCP client does. Run it with --help for the configuration to paste.\n" +
      "Stop it with Ctrl-C.\n",
  );
}

main().catch((error: unknown) => {
  // Flags, configuration, the port: the messages are ours or Node's and name what is at fault.
  process.stderr.write(
    `${error instanceof Error ? error.message : String(error)}\nRun with --help for help.\n`,
  );
  process.exitCode = 2;
});
