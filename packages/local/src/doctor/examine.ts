import type { Config } from "../config.js";
import type { Check } from "./check.js";
import { checkCloud, checkFolder, checkNode, checkPort, isThere } from "./machine-checks.js";
import { checkServer } from "./server-checks.js";

/** Looks at everything that stands between a user and their traces; changes nothing but an old schema. */
export async function examine(config: Config): Promise<Check[]> {
  const { dataDir } = config;
  const before = [checkNode(process.versions.node), ...(await checkFolder(dataDir))];
  const cloud = config.forward ? [await checkCloud(config.forward.api)] : [];
  const exists = config.clickHouse !== undefined || (await isThere(dataDir));
  if (!exists || before.some(({ state }) => state === "fail")) {
    return [...before, await checkPort(config), ...cloud];
  }
  return [...before, ...(await checkServer(config)), ...cloud];
}
