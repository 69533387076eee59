#!/usr/bin/env node
import { parseArgs } from "node:util";
import { PRODUCTION_API_URL } from "./api/url-policy.js";
import { type Config, readConfig, type ServeOptions, settings } from "./config.js";
import { createLog } from "./log.js";
import { answerOpening } from "./opening.js";
import type { Recording } from "./recording.js";

/** Set by the build from package.json. */
declare const VERSION: string;
/** Set by the build: JSON of what a server without a key says, and of what one with a key says. */
declare const RECORDINGS: { readonly withoutKey: string; readonly withKey: string };

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
  return Object.entries(settings)
    .map(([name, description]) => `  ${name}\n      ${description}`)
    .join("\n");
}

async function main(): Promise<void> {
  const { help, version, http, ...httpFlags } = readFlags();
  if (help) process.stdout.write(HELP);
  else if (version) process.stdout.write(`${VERSION}\n`);
  else if (http) await startHttp(httpFlags);
  else if (Object.keys(httpFlags).length > 0) throw new Error("That flag needs --http.");
  else await startStdio();
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

function readOptions(): ServeOptions {
  const log = createLog(
    (line) => process.stderr.write(line),
    () => new Date(),
  );
  return { version: VERSION, config: readConfig(process.env), log };
}

async function startHttp(flags: Record<string, unknown>): Promise<void> {
  const options = readOptions();
  const { serveHttp } = await import("./serve-http.js");
  await serveHttp(flags, options);
}

/** Nothing is awaited before the first request is read: a client should not notice our start. */
async function startStdio(): Promise<void> {
  const options = readOptions();
  if (process.stdin.isTTY) greet();
  const opening = await answerOpening(recordingFor(options.config));
  const { serveStdio } = await import("./serve-stdio.js");
  serveStdio(opening, options);
}

function recordingFor({ AGENTOPS_API_KEY, AGENTOPS_API_URL }: Config): Recording {
  const recorded = AGENTOPS_API_KEY ? RECORDINGS.withKey : RECORDINGS.withoutKey;
  const apiUrl = JSON.stringify(AGENTOPS_API_URL);
  return JSON.parse(recorded.replaceAll(JSON.stringify(PRODUCTION_API_URL), () => apiUrl));
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
