import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const LOCAL_CLI = fileURLToPath(new URL("../packages/local/dist/cli.js", import.meta.url));

/** How long agentops-local may take to start and send its sample runs. */
const START_TIMEOUT_MS = 60_000;

export interface RunningLocal {
  readonly url: string;
  readonly apiKey: string;
  /** Ends the process and removes its data. */
  stop(): Promise<void>;
}

/** Starts the built agentops-local on a free port with an empty folder, and waits until it is ready. */
export async function startLocal(flags: readonly string[] = []): Promise<RunningLocal> {
  const dataDir = await mkdtemp(join(tmpdir(), "agentops-local-"));
  const child = spawn(
    process.execPath,
    [LOCAL_CLI, "--port", "0", "--data-dir", dataDir, ...flags],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const stop = async () => {
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(dataDir, { recursive: true, force: true });
  };

  try {
    return { ...readEnvironment(await readGreeting(child.stderr)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Reads stderr up to the line that says that it is ready. */
async function readGreeting(stderr: Readable): Promise<string> {
  let greeting = "";
  const timeout = setTimeout(() => stderr.destroy(), START_TIMEOUT_MS);

  try {
    for await (const chunk of stderr.iterator({ destroyOnReturn: false })) {
      greeting += String(chunk);
      if (/^Ready/m.test(greeting)) break;
    }
  } finally {
    clearTimeout(timeout);
  }
  // Whatever it says later is not for us, but an unread pipe would stop it.
  stderr.resume();
  return greeting;
}

/** The environment it tells its user to set. */
function readEnvironment(greeting: string): { url: string; apiKey: string } {
  const [, url] = /AGENTOPS_API_ENDPOINT=(\S+)/.exec(greeting) ?? [];
  const [, apiKey] = /AGENTOPS_API_KEY=(\S+)/.exec(greeting) ?? [];
  if (!url || !apiKey) throw new Error(`agentops-local did not start:\n${greeting}`);
  return { url, apiKey };
}
