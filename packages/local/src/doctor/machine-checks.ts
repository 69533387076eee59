import { once } from "node:events";
import { access, constants, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import type { Config } from "../config.js";
import { type CloudUrls, createCloud } from "../forward/cloud.js";
import { placeAt, reachableUrl } from "../host.js";
import { isServerAt } from "../running-server.js";
import { systemCode } from "../start-error.js";
import type { Check } from "./check.js";

const MIN_NODE_MAJOR = 20;
/** Below the first a warning; below the second the engine cannot even merge what it has. */
const LOW_SPACE_BYTES = 2 * 1024 ** 3;
const NO_SPACE_BYTES = 200 * 1024 ** 2;

export function checkNode(nodeVersion: string): Check {
  const check = { name: "Node.js", detail: nodeVersion };
  if (Number.parseInt(nodeVersion, 10) >= MIN_NODE_MAJOR) return { ...check, state: "ok" };
  return { ...check, state: "fail", advice: `Install Node.js ${MIN_NODE_MAJOR} or newer.` };
}

export async function checkFolder(path: string): Promise<Check[]> {
  const name = "data folder";
  if (!(await isThere(path))) {
    return [{ name, state: "ok", detail: `${path}, made at the first start` }];
  }
  const isWritable = await access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const { mode } = await stat(path);
  if (!isWritable || !(await stat(path)).isDirectory()) {
    const advice = "Make it a folder that you may write to, or choose another --data-dir.";
    return [{ name, state: "fail", detail: `${path} cannot be used`, advice }];
  }
  const isPrivate = (mode & 0o077) === 0 || process.platform === "win32";
  return [
    isPrivate
      ? { name, state: "ok", detail: path }
      : {
          name,
          state: "warn",
          detail: `${path} can be read by other users (mode ${(mode & 0o777).toString(8)})`,
          advice: `Prompts are in there: chmod 700 "${path}"`,
        },
    checkSpace(await statfs(path)),
  ];
}

export function checkSpace({ bavail, bsize }: { bavail: number; bsize: number }): Check {
  const bytes = bavail * bsize;
  const check = { name: "disk space", detail: `${(bytes / 1024 ** 3).toFixed(1)} GiB free` };
  if (bytes >= LOW_SPACE_BYTES) return { ...check, state: "ok" };
  const advice = "Make room, keep less with --retention, or move the folder with --data-dir.";
  return { ...check, state: bytes < NO_SPACE_BYTES ? "fail" : "warn", advice };
}

export async function checkPort({ host, port }: Config): Promise<Check> {
  const name = "port";
  const place = placeAt({ host, port });
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, "listening");
    return { name, state: "ok", detail: `${place} is free` };
  } catch (error) {
    if (await isServerAt(reachableUrl({ host, port }))) {
      const detail = `agentops-local answers at ${place} with another data folder`;
      return { name, state: "fail", detail, advice: "Give the --data-dir that it has." };
    }
    const detail = `${place} cannot be listened on (${systemCode(error)})`;
    return { name, state: "fail", detail, advice: "Choose another with --port and --host." };
  } finally {
    probe.close();
  }
}

export async function checkCloud(urls: CloudUrls): Promise<Check> {
  const name = "cloud";
  const missing = await createCloud({ urls, fetch }).missing();
  if (missing.length === 0) return { name, state: "ok", detail: `${urls.api} answers` };
  const advice = "What arrives waits on disk meanwhile. Check the URL, and the network.";
  const detail = `no AgentOps answers at ${missing.join(" and ")}`;
  return { name, state: "warn", detail, advice };
}

export async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
