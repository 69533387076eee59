import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const TIMEOUT_MS = 120_000;

/** Runs a program of this folder to its end and gives back what it printed. */
export async function runProgram(
  command: string,
  [name, ...args]: readonly [string, ...string[]],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<string> {
  const program = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await run(command, [program, ...args], { ...options, timeout: TIMEOUT_MS });
  return stdout;
}
