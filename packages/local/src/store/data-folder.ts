import { existsSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { StartError, systemCode } from "../start-error.js";

/** @throws {StartError} when there can be no such folder. */
export async function makeDataFolder(path: string): Promise<void> {
  await makeFolder(path).catch((error) => {
    throw new StartError(
      `The folder ${path} cannot be made (${systemCode(error)}). Choose another --data-dir.`,
      { cause: error },
    );
  });
}

/** Unlike `mkdir` with `recursive`, it returns where the parent is one like /proc, which takes no folders. */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) {
    // With the slash the system refuses what is no folder.
    await stat(`${path}/`);
    return;
  }
  await makeFolder(dirname(path));
  // Prompts and keys are for this user's eyes only.
  await mkdir(path, { mode: 0o700 });
}
