import type { Config } from "../config.js";
import { type Check, look } from "./check.js";
import { checkCloud, checkFolder, checkNode, checkPort, isThere } from "./machine-checks.js";
import { checkServer } from "./server-checks.js";

/** Looks at everything that stands between a user and their traces; changes nothing but an old schema. */
export async function examine(config: Config): Promise<Check[]> {
  const { dataDir, forward } = config;
  const folder = await look("data folder", () => checkFolder(dataDir));
  const before = [checkNode(process.versions.node), ...folder];
  const cloud = forward ? [await checkCloud(forward)] : [];
  const exists = config.clickHouse !== undefined || (await isThere(dataDir));
  if (!exists || before.some(({ state }) => state === "fail")) {
    return [...before, await checkPort(config), ...cloud];
  }
  return [...before, ...(await checkServer(config)), ...cloud];
}
