/** Cold start: from before the spawn to the first answer, beside Node doing nothing, turn by turn. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { startLocalServer, withFolder } from "./local-server.js";
import { median, printTable, rounded } from "./report.js";

const MCP_CLI = fileURLToPath(new URL("../packages/mcp/dist/cli.cjs", import.meta.url));
const ROUNDS = 25;

const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "bench", version: "1.0.0" },
  },
};

const idle: number[] = [];
const server: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  idle.push(await timeToExit());
  server.push(await timeToFirstAnswer());
}

printTable(`Cold start, median of ${ROUNDS}`, [
  { what: "node -e 0, to exit", ms: rounded(median(idle)), ratio: 1 },
  {
    what: "mcp-server-agentops-api, to the first answer",
    ms: rounded(median(server)),
    ratio: rounded(median(server.map((ms, round) => ms / (idle[round] ?? Number.NaN))), 2),
  },
]);

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

async function timeToFirstAnswer(): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [MCP_CLI], { stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.write(`${JSON.stringify(initialize)}\n`);
  await once(child.stdout, "data");
  const elapsed = performance.now() - start;
  child.stdin.end();
  await once(child, "exit");
  return elapsed;
}
