/**
 * The main job, end to end, before your eyes: traced agents send spans to agentops-local, and an MCP
 * client asks the MCP server about them. No account, and no network beyond this machine.
 */
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { startLocal } from "../test/start-local.js";

const MCP_CLI = fileURLToPath(new URL("../packages/mcp/dist/cli.cjs", import.meta.url));

/** How much of a raw answer is printed: enough to see its shape. */
const MAX_PRINTED_CHARS = 1_500;

let stepCount = 0;

const local = await startLocal(["--sample"]);
try {
  step("agentops-local is running, and three traced agents have sent their spans to it");
  print(`It listens at ${local.url} and keeps its traces in a temporary folder.`);
  await askAboutTraces({ AGENTOPS_API_KEY: local.apiKey, AGENTOPS_API_URL: local.url });

  heading("Use it yourself");
  print(
    "Start agentops-local with the same runs in it, and leave it running:\n\n" +
      "  node packages/local/dist/cli.js --sample\n\n" +
      "It prints the environment for your own agents. Your MCP client's configuration:\n\n" +
      clientConfig(local.apiKey),
  );
} finally {
  await local.stop();
}

async function askAboutTraces(env: Record<string, string>): Promise<void> {
  const client = new Client({ name: "demo", version: "1.0.0" });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [MCP_CLI], env }),
  );
  step("An MCP client has started mcp-server-agentops-api over stdio");
  print((await client.listTools()).tools.map(({ name, title }) => `${name} (${title})`).join("\n"));

  step("What an assistant sees when it calls list_traces");
  const list = await call(client, "list_traces");
  print(list);

  const { traces }: { traces: ListedTrace[] } = JSON.parse(list);
  for (const { trace_id, root_span_name, span_count, error_count } of traces) {
    const tool = error_count > 0 ? "diagnose_trace" : "trace_detail";
    step(
      `${tool} ${JSON.stringify({ trace_id })}: ${root_span_name}, ${span_count} spans, ${error_count} failed`,
    );
    print(await call(client, tool, { trace_id }));
  }

  await client.close();
}

/** The part of a listed trace that the demo talks about. */
interface ListedTrace {
  readonly trace_id: string;
  readonly root_span_name: string;
  readonly span_count: number;
  readonly error_count: number;
}

/** A configuration that outlives the demo: agentops-local on its usual port. */
function clientConfig(apiKey: string): string {
  const env = { AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: "http://127.0.0.1:8000" };
  const agentops = { command: process.execPath, args: [MCP_CLI], env };
  return JSON.stringify({ mcpServers: { agentops } }, null, 2);
}

async function call(client: Client, name: string, args: Record<string, unknown> = {}) {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const text = content.map((block) => (block.type === "text" ? block.text : "")).join("");
  if (isError) throw new Error(`${name} failed: ${text}`);
  return text;
}

function step(text: string): void {
  stepCount += 1;
  heading(`${stepCount}. ${text}`);
}

function heading(text: string): void {
  console.log(`\n\x1b[1m${text}\x1b[0m\n`);
}

function print(text: string): void {
  const rest = text.length - MAX_PRINTED_CHARS;
  console.log(
    rest > 0 ? `${text.slice(0, MAX_PRINTED_CHARS)}\n… and ${rest} characters more` : text,
  );
}
