/**
 * Asks what developers ask about a recorded week of runs, through the built server and a real
 * agentops-local, and checks that the answers are in what came back. No model is called: what is
 * measured is whether an assistant could answer, in how many calls, and at what price.
 */
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { traceIdOf } from "../packages/mcp/test/runs/run.js";
import { sendRuns } from "../packages/mcp/test/runs/send.js";
import { weekOfRuns } from "../packages/mcp/test/runs/week.js";
import { startLocal } from "../test/start-local.js";
import { type Ask, type Question, questions } from "./questions.js";

const MCP_CLI = fileURLToPath(new URL("../packages/mcp/dist/cli.cjs", import.meta.url));

const MAX_CALLS = 3;
const MAX_TOKENS = 4_000;
const MAX_MEDIAN_TOKENS = 1_500;

interface Result {
  readonly question: string;
  readonly callCount: number;
  readonly tokens: number;
  /** What complete dumps of the same runs cost, indented as the incumbent sends them. */
  readonly dumpTokens: number;
  readonly missing: readonly RegExp[];
}

/** By the key of the run: many questions are about the same runs. */
const dumpSizes = new Map<string, number>();

const local = await startLocal();
try {
  await sendRuns(local.url, weekOfRuns(Date.now()));
  const client = new Client({ name: "evals", version: "1.0.0" });
  const env = { AGENTOPS_API_KEY: local.apiKey, AGENTOPS_API_URL: local.url };
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [MCP_CLI], env }),
  );
  const results: Result[] = [];
  for (const question of questions) results.push(await evaluate(question, client));
  await client.close();
  report(results);
} finally {
  await local.stop();
}

async function evaluate(
  { question, calls, answeredBy, dumps }: Question,
  client: Client,
): Promise<Result> {
  const answers: string[] = [];
  const ask: Ask = async (tool, args = {}) => {
    const answer = await call(client, tool, args);
    answers.push(answer);
    return answer;
  };
  await calls(ask);
  const heard = answers.join("\n");
  return {
    question,
    callCount: answers.length,
    tokens: encode(heard).length,
    dumpTokens: await tokensOfDumps(client, dumps),
    missing: answeredBy.filter((pattern) => !pattern.test(heard)),
  };
}

async function call(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

async function tokensOfDumps(client: Client, keys: readonly string[]): Promise<number> {
  let tokens = 0;
  for (const key of keys) {
    const known = dumpSizes.get(key) ?? (await tokensOfDump(client, key));
    dumpSizes.set(key, known);
    tokens += known;
  }
  return tokens;
}

async function tokensOfDump(client: Client, key: string): Promise<number> {
  const body = await call(client, "trace_detail", { trace_id: traceIdOf(key), view: "raw" });
  return encode(JSON.stringify(JSON.parse(body), null, 2)).length;
}

function report(results: readonly Result[]): void {
  console.log("| question | calls | tokens | complete dumps | |\n|---|--:|--:|--:|---|");
  for (const { question, callCount, tokens, dumpTokens, missing } of results) {
    const verdict = missing.length === 0 ? "answered" : `MISSING ${missing.join(" ")}`;
    console.log(`| ${question} | ${callCount} | ${tokens} | ${dumpTokens} | ${verdict} |`);
  }
  const sorted = results.map(({ tokens }) => tokens).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const dumps = results.map(({ dumpTokens }) => dumpTokens).sort((a, b) => a - b);
  const medianDump = dumps[Math.floor(dumps.length / 2)] ?? 0;
  const answered = results.filter(({ missing }) => missing.length === 0).length;
  console.log(
    `\n${answered} of ${results.length} answered; median ${median} tokens, against ${medianDump} for complete dumps; most ${sorted.at(-1)}.`,
  );

  const isWithinBounds = results.every(
    ({ callCount, tokens }) => callCount <= MAX_CALLS && tokens <= MAX_TOKENS,
  );
  if (answered < results.length || !isWithinBounds || median > MAX_MEDIAN_TOKENS) {
    console.log(
      `Not reached: every question answered in ${MAX_CALLS} calls and ${MAX_TOKENS} tokens, median ${MAX_MEDIAN_TOKENS}.`,
    );
    process.exitCode = 1;
  }
}
