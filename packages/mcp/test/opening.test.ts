import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { MCP_CLI } from "./mcp-client.js";

const folder = mkdtempSync(join(tmpdir(), "opening-"));
afterAll(() => rmSync(folder, { recursive: true }));
/** Without the server beside it, so that its answers can only be recorded ones. */
const aloneCli = join(folder, "cli.cjs");
copyFileSync(MCP_CLI, aloneCli);

const clientInfo = { name: "a client", title: "A client", version: "9" };
const initialize = (
  protocolVersion: string,
  capabilities: object = { roots: { listChanged: true } },
) => ({
  method: "initialize",
  params: { protocolVersion, capabilities, clientInfo },
});
const statelessFor = (capabilities: object) => ({
  _meta: {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": clientInfo,
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  },
});
const stateless = statelessFor({ elicitation: {} });
const LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"];

const conversations = [
  ...SUPPORTED_PROTOCOL_VERSIONS.map((version) => ({
    version,
    questions: [
      initialize(version),
      { method: "tools/list" },
      ...LISTS.map((method) => ({ method, params: { _meta: { progressToken: 1 } } })),
    ],
  })),
  {
    version: "2026-07-28",
    questions: ["server/discover", ...LISTS].map((method) => ({ method, params: stateless })),
  },
];
const environments = [
  {},
  { AGENTOPS_API_KEY: "a-key" },
  { AGENTOPS_API_URL: " http://localhost:8000/$& " },
];

describe.each(environments)("with %o", (env) => {
  test.each(conversations)(
    "what clients of $version ask first is answered without the server, in its words",
    async ({ questions }) => {
      const served = startServer(env);
      // What was never recorded is left to the server, with all that follows.
      await ask(served, [{ ...questions.at(-1), method: "ping" }]);

      expect(await ask(startServer(env, aloneCli), questions)).toEqual(
        await ask(served, questions),
      );
    },
  );
});

const call = { method: "tools/call", params: { name: "list_traces", arguments: {} } };

test.each(conversations.slice(-2))(
  "a client of $version may call a tool in one breath with its first questions",
  async ({ version, questions }) => {
    const params = { ...call.params, ...(version === "2026-07-28" && stateless) };
    const server = startServer();
    const answers = await ask(server, [...questions, { ...call, params }]);
    server.stdin.end();

    expect(answers.map(({ id }) => id)).toEqual([...questions.keys(), questions.length]);
    expect(answers.at(-1)).toMatchObject({ result: { isError: true } });
    // Nothing is said twice.
    expect(await server.stdout.toArray()).toEqual([]);
  },
);

test("a client that pauses after its first questions finds the server at work", async () => {
  const server = startServer();
  await ask(server, [initialize("2025-06-18"), { method: "tools/list" }]);
  await sleep(300);
  const [answer] = await ask(server, [call]);

  expect(answer).toMatchObject({ result: { isError: true } });
});

test.each([
  [
    "an initialize without clientInfo",
    { method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {} } },
  ],
  [
    "a stateless question without the client's capabilities",
    {
      method: "tools/list",
      params: { _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } },
    },
  ],
  ["an initialize with a capability that is no object", initialize("2025-06-18", { sampling: 5 })],
  [
    "a stateless question with a capability that is no object",
    { method: "tools/list", params: statelessFor({ sampling: 5 }) },
  ],
])("%s gets the server's error", async (_, question) => {
  const [answer] = await ask(startServer(), [question]);
  expect(answer).toHaveProperty("error.code");
});

test("a message that does not say it is JSON-RPC 2.0 gets no recorded answer", async () => {
  const server = startServer();
  server.stdin.write('{"id": "broken", "method": "tools/list"}\n');
  const [answer] = await ask(server, [{ method: "tools/list" }]);

  expect(answer).toHaveProperty("id", 0);
});

test("of two that introduce a client with one id, each is answered once", async () => {
  const server = startServer();
  const questions = [initialize("2025-06-18"), initialize("2025-03-26"), { method: "ping" }];
  const answers = await ask(
    server,
    questions.map((question) => ({ id: question.method, ...question })),
  );
  server.stdin.end();

  expect(answers).toMatchObject([
    { id: "initialize", result: { protocolVersion: "2025-06-18" } },
    { id: "initialize", result: { protocolVersion: "2025-03-26" } },
    { id: "ping", result: {} },
  ]);
  expect(await server.stdout.toArray()).toEqual([]);
});

test("a client that reads no answer ends the process with status 0, and no stack trace", async () => {
  const server = spawn(process.execPath, [MCP_CLI], { env: {} });
  server.stdout.destroy();
  server.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: 0, method: "tools/list" })}\n`);

  expect(await once(server, "exit")).toEqual([0, null]);
  expect((await server.stderr.toArray()).join("")).toBe("");
});

interface Question {
  readonly method: string;
  readonly params?: unknown;
}

function startServer(env: Record<string, string> = {}, cli = MCP_CLI) {
  const child = spawn(process.execPath, [cli], { env, stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill());
  return child;
}

/** Asks all at once, and returns as many answers. */
async function ask({ stdin, stdout }: Server, questions: readonly Question[]): Promise<Answer[]> {
  stdin.write(
    questions
      .map((question, id) => `${JSON.stringify({ jsonrpc: "2.0", id, ...question })}\n`)
      .join(""),
  );
  let text = "";
  while (text.split("\n").length <= questions.length) {
    const [chunk] = await once(stdout, "data");
    text += String(chunk);
  }
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

type Server = ReturnType<typeof startServer>;
type Answer = Readonly<Record<string, unknown>>;
