import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { proc } from "./proc.js";

const CLI = fileURLToPath(new URL("../packages/local/dist/cli.js", import.meta.url));

/** The built program as a process of its own. */
export interface LocalServer {
  readonly url: string;
  /** From before the spawn until it says that it is ready. */
  readonly startMs: number;
  /** The most memory it has held so far; NaN where the system does not tell. */
  peakRssMb(): Promise<number>;
  /** Processor time so far, of all threads; NaN where the system does not tell. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

export async function startLocalServer(dataDir: string, ...args: string[]): Promise<LocalServer> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [CLI, "--port", "0", "--data-dir", dataDir, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let output = "";
  while (!output.includes("Ready.")) {
    const [chunk] = await Promise.race([once(child.stderr, "data"), once(child, "exit")]);
    if (child.exitCode !== null) throw new Error(`agentops-local did not start: ${output}`);
    output += chunk;
  }
  child.stderr.pipe(process.stderr);
  const url = /http:\/\/\S+/.exec(output)?.[0];
  if (!url) throw new Error("agentops-local did not say where it listens.");

  return {
    url,
    startMs: performance.now() - startedAt,
    async peakRssMb() {
      const kb = /VmHWM:\s+(\d+)/.exec(await proc(child.pid, "status"))?.[1];
      return Number(kb) / 1024;
    },
    async cpuSeconds() {
      // The fields after the name, which is in parentheses: user and system time are the 12th and 13th.
      const fields = (await proc(child.pid, "stat")).split(") ").at(-1)?.split(" ");
      return (Number(fields?.[11]) + Number(fields?.[12])) / TICKS_PER_SECOND;
    },
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

const TICKS_PER_SECOND = 100;

/** Runs `use` with an empty folder, which is removed whatever happens. */
export async function withFolder<Result>(
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "agentops-bench-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A GET with the default project's token. */
export async function createReader(url: string): Promise<(path: string) => Promise<unknown>> {
  const exchange = await fetch(`${url}/v3/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ api_key: DEFAULT_KEY }),
  });
  const { token } = (await exchange.json()) as { token: string };
  return async (path) => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return await response.json();
  };
}

const DEFAULT_KEY = "6b7a1469-bdcb-4d47-85ba-c4824bc8486e";
