/** Cold start: from before the spawn to an answer, beside Node doing nothing, turn by turn. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startLocalServer, withFolder } from "./local-server.js";
import { rssMb } from "./proc.js";
import { median, printTable, rounded } from "./report.js";

const MCP_CLI = fileURLToPath(new URL("../packages/mcp/dist/cli.cjs", import.meta.url));
const ROUNDS = 25;
/** By then the server has loaded in the pause that follows its first answers. */
const LOADED_MS = 2_000;

const initialize = {
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bench", version: "1.0.0" },
  },
};
const listTools = { method: "tools/list" };
/** Without a key it ends before it would read anything: what is measured is the server. */
const call = { method: "tools/call", params: { name: "list_traces", arguments: {} } };

const targets = [
  { what: "first answer", goal: 2.5, questions: [initialize] },
  { what: "list of tools", questions: [initialize, listTools] },
  { what: "tool call at once", questions: [initialize, listTools, call] },
].map((target) => ({ ...target, ms: [] as number[] }));
const idleMs: number[] = [];

for (let round = 0; round < ROUNDS; round++) {
  idleMs.push(await timeToExit());
  for (const { questions, ms } of targets) ms.push(await timeToAnswers(questions));
}

printTable(`Cold start of mcp-server-agentops-api, median of ${ROUNDS}`, [
  { to: "exit, node -e 0", ms: rounded(median(idleMs)), ratio: 1, goal: "" },
  ...targets.map(({ what, goal = "", ms }) => ({
    to: what,
    ms: rounded(median(ms)),
    ratio: rounded(median(ms.map((each, round) => each / (idleMs[round] ?? Number.NaN))), 2),
    goal,
  })),
]);

console.log(
  `Resident MB once its tools were listed and it has loaded, goal 90: ${await idleRssMb()}`,
);

const LOCAL_ROUNDS = 7;
const [onEmpty, onExisting] = [[], []] as [number[], number[]];
for (let round = 0; round < LOCAL_ROUNDS; round++) {
  await withFolder(async (folder) => {
    onEmpty.push(await timeToListening(folder));
    onExisting.push(await timeToListening(folder));
  });
}

printTable(`agentops-local to listening, median of ${LOCAL_ROUNDS}, goal 1,500 ms`, [
  { folder: "empty", ms: rounded(median(onEmpty)) },
  { folder: "existing", ms: rounded(median(onExisting)) },
]);

async function timeToListening(folder: string): Promise<number> {
  const local = await startLocalServer(folder);
  await local.stop();
  return local.startMs;
}

async function timeToExit(): Promise<number> {
  const start = performance.now();
  await once(spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }), "exit");
  return performance.now() - start;
}

/** Asks all at once, as a client that waits for nothing. */
async function timeToAnswers(questions: readonly object[]): Promise<number> {
  const start = performance.now();
  const child = await startAnswered(questions);
  const elapsed = performance.now() - start;
  child.stdin.end();
  await once(child, "exit");
  return elapsed;
}

async function startAnswered(questions: readonly object[]) {
  const child = spawn(process.execPath, [MCP_CLI], { env: {}, stdio: ["pipe", "pipe", "ignore"] });
  const lines = questions.map((question, id) =>
    JSON.stringify({ jsonrpc: "2.0", id, ...question }),
  );
  child.stdin.write(`${lines.join("\n")}\n`);
  let text = "";
  while (text.split("\n").length <= questions.length) text += await once(child.stdout, "data");
  return child;
}

async function idleRssMb(): Promise<number> {
  const child = await startAnswered([initialize, listTools]);
  await sleep(LOADED_MS);
  const mb = await rssMb(child.pid);
  child.stdin.end();
  return Math.round(mb);
}
