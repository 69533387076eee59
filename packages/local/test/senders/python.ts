import { execFile } from "node:child_process";
import { access, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** AgentOps' newest SDK cannot export through OpenTelemetry 1.45 and later, which it does not exclude. */
const packages = ["agentops==0.4.21", "opentelemetry-exporter-otlp-proto-http==1.44.0"];
const folder = join(tmpdir(), "agentops-local-senders-0.4.21");
const INSTALL_TIMEOUT_MS = 120_000;

/** A Python that has the SDKs, kept between runs; undefined, with the reason printed, where there is none. */
export async function findPython(): Promise<string | undefined> {
  const python = join(folder, "bin", "python");
  const complete = join(folder, "complete");
  try {
    await access(complete);
    return python;
  } catch {
    // Not installed yet.
  }
  try {
    const timeout = INSTALL_TIMEOUT_MS;
    await run("python3", ["-m", "venv", "--clear", folder], { timeout });
    const quiet = ["--quiet", "--no-compile", "--disable-pip-version-check"];
    await run(python, ["-m", "pip", "install", ...quiet, ...packages], { timeout });
    await writeFile(complete, "");
    return python;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    console.error(`Tests with the Python SDKs are skipped: ${reason}`);
    return undefined;
  }
}
