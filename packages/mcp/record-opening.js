import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";

const CLIENT = { name: "build", version: "1.0.0" };
const LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];
const STATELESS_PARAMS = {
  _meta: {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": CLIENT,
    "io.modelcontextprotocol/clientCapabilities": {},
  },
};

const CONVERSATIONS = [
  [
    ...SUPPORTED_PROTOCOL_VERSIONS.map((protocolVersion) => ({
      method: "initialize",
      params: { protocolVersion, capabilities: {}, clientInfo: CLIENT },
    })),
    ...LISTS.map((method) => ({ method, params: {} })),
  ],
  ["server/discover", ...LISTS].map((method) => ({ method, params: STATELESS_PARAMS })),
];

/** Asks the built server what clients ask first, in both protocol eras: a `Recording` of `src/recording.ts`. */
export async function recordOpening(command, env) {
  const recorded = CONVERSATIONS.map((questions) => ask(command, env, questions));
  return (await Promise.all(recorded)).flat();
}

async function ask(command, env, questions) {
  const server = spawn(process.execPath, [command], { env, stdio: ["pipe", "pipe", "inherit"] });
  for (const [id, question] of questions.entries()) {
    server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, ...question })}\n`);
  }
  const answers = [];
  for await (const line of createInterface(server.stdout)) {
    const { id, result } = JSON.parse(line);
    if (!result) throw new Error(`The server answers with an error: ${line}`);
    answers.push({ ...questions[id], result });
    if (answers.length === questions.length) server.stdin.end();
  }
  if (answers.length < questions.length)
    throw new Error("The server ended before it had answered.");
  return answers;
}
