import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));

/** Of all that a file's tests start; one that failed did not come to end its own. */
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

export interface Run {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves with the exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** Starts the built program. */
export function run(...args: string[]): Run {
  return start(process.execPath, [cli, ...args]);
}

/** The same, with what it prints in a file. */
export function runInto(file: string, ...args: string[]): Run {
  return start("sh", ["-c", `exec "$@" > ${file}`, "sh", process.execPath, cli, ...args]);
}

function start(command: string, args: readonly string[]): Run {
  if (!existsSync(cli)) throw new Error("Build first: npm run build -w agentops-local");
  // The certificates variable costs Node 20 a tenth of a second per start.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const child = spawn(command, args, { env });
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exited: once(child, "close").then(([code]) => code),
  };
}

export interface RunningBinary extends Run {
  readonly url: string;
}

/** Starts the built program as a server and waits until it says that it listens. */
export async function serve(dataDir: string, ...args: string[]): Promise<RunningBinary> {
  const started = run("--port", "0", "--data-dir", dataDir, ...args);
  let hasExited = false;
  const exit = started.exited.then(() => {
    hasExited = true;
  });
  while (!started.stderr().includes("Stop with") && !hasExited) {
    await Promise.race([once(started.child.stderr ?? started.child, "data"), exit]);
  }
  const url = /API and OTLP +(http:\/\/\S+)/.exec(started.stderr())?.[1];
  if (!url) throw new Error(`It did not start: ${started.stderr()}`);
  return { ...started, url };
}
