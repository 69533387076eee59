import { once } from "node:events";
import { access, constants, readdir, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { type AdminApi, connectToServer, openAdminApi } from "./admin-api.js";
import type { Config } from "./config.js";
import { counted } from "./progress.js";
import { StartError, systemCode } from "./start-error.js";
import { hasTraces, placeOf } from "./store/index.js";
import { version } from "./version.js";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  /** What to do about it; undefined where all is well. */
  readonly advice?: string;
}

const MIN_NODE_MAJOR = 20;
/** Below the first a warning; below the second the engine cannot even merge what it has. */
const LOW_SPACE_BYTES = 2 * 1024 ** 3;
const NO_SPACE_BYTES = 200 * 1024 ** 2;
/** For the cloud to answer anything at all. */
const CLOUD_TIMEOUT_MS = 5_000;

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

/** For a terminal: a line each, with what to do below. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, state, detail, advice }) => {
      const line = `${state.padEnd(4)}  ${name.padEnd(width)}  ${detail}\n`;
      return advice ? `${line}      → ${advice}\n` : line;
    })
    .join("");
}

export function checkNode(nodeVersion: string): Check {
  const check = { name: "Node.js", detail: nodeVersion };
  if (Number.parseInt(nodeVersion, 10) >= MIN_NODE_MAJOR) return { ...check, state: "ok" };
  return { ...check, state: "fail", advice: `Install Node.js ${MIN_NODE_MAJOR} or newer.` };
}

async function checkFolder(path: string): Promise<Check[]> {
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

/** What only the API can tell: of the server that runs, or else of the folder. */
async function checkServer(config: Config): Promise<Check[]> {
  let api: AdminApi;
  try {
    if (await isNew(config)) {
      const detail = `${placeOf(config)}, made at the first start`;
      return [await checkPort(config), { name: "database", state: "ok", detail }];
    }
    api = await openAdminApi(config);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return [{ name: "database", state: "fail", detail: "does not open", advice: error.message }];
  }
  try {
    const health = healthSchema.parse(await api.request("GET", "/health"));
    return [
      ...(api.serverUrl === undefined ? [await checkPort(config)] : []),
      runningCheck(api.serverUrl, health.version),
      databaseCheck(api.place, health),
      ...(await checkProjects(api)),
      ...(await checkQueue(config, health)),
    ];
  } finally {
    await api.close();
  }
}

/** A database that is only read is never made: that it is not there is an error. */
async function isNew(config: Config): Promise<boolean> {
  const { clickHouse } = config;
  if (!clickHouse || clickHouse.readOnly || (await connectToServer(config))) return false;
  return !(await hasTraces(clickHouse));
}

const healthSchema = z.object({
  version: z.string(),
  database: z.object({ kind: z.string(), version: z.string() }),
  forward: z
    .object({ to: z.string(), queued: z.number(), sent: z.number(), dropped: z.number() })
    .optional(),
});

function runningCheck(url: string | undefined, serverVersion: string): Check {
  const name = "server";
  if (url === undefined) return { name, state: "ok", detail: "not running; its database opens" };
  if (serverVersion === version) {
    return { name, state: "ok", detail: `${url}, version ${serverVersion}` };
  }
  return {
    name,
    state: "warn",
    detail: `${url} runs version ${serverVersion}, this is ${version}`,
    advice: "Restart it, so that both are the same.",
  };
}

function databaseCheck(
  place: string,
  { database: { kind, version } }: z.output<typeof healthSchema>,
): Check {
  return { name: "database", state: "ok", detail: `ClickHouse ${version} (${kind}), ${place}` };
}

const projectsSchema = z.array(z.object({ id: z.string(), name: z.string(), api_key: z.string() }));
const tokenSchema = z.object({ token: z.string() });
const listSchema = z.object({
  traces: z.array(z.object({ start_time: z.string() })),
  total: z.number(),
  metrics: z.object({ span_count: z.number() }),
});

/** Each project as a client would meet it: the key is exchanged, and the token lists. */
async function checkProjects(api: AdminApi): Promise<Check[]> {
  const projects = projectsSchema.parse(await api.request("GET", "/opsboard/projects"));
  const checks: Check[] = [];
  for (const { name, api_key } of projects) {
    const { token } = tokenSchema.parse(
      await api.request("POST", "/v3/auth/token", { body: { api_key } }),
    );
    const list = listSchema.parse(await api.request("GET", "/v4/traces?limit=1", { token }));
    checks.push(projectCheck(name, list));
  }
  return checks;
}

function projectCheck(
  project: string,
  { traces, total, metrics }: z.output<typeof listSchema>,
): Check {
  const name = `project ${project}`;
  const [newest] = traces;
  if (!newest) {
    const advice = "Point an SDK at the server, or start it with --sample.";
    return { name, state: "ok", detail: "key is good; no spans yet", advice };
  }
  const counts = `${counted(metrics.span_count, "span")} in ${counted(total, "trace")}`;
  return {
    name,
    state: "ok",
    detail: `key is good; ${counts}, the newest of ${newest.start_time}`,
  };
}

/** What is still to go to the cloud. */
async function checkQueue(
  { dataDir, forward }: Config,
  health: z.output<typeof healthSchema>,
): Promise<Check[]> {
  const name = "forwarding";
  const status = health.forward;
  if (!status) {
    const queued = await countQueued(join(dataDir, "forward"));
    if (queued === 0) return [];
    const advice = forward
      ? "They are sent once the server runs."
      : "Start the server with the --forward it had, to send them.";
    return [{ name, state: "warn", detail: `${counted(queued, "export")} waiting`, advice }];
  }
  const detail = `to ${status.to}: ${status.queued} queued, ${status.sent} sent, ${status.dropped} dropped`;
  if (status.dropped > 0) {
    const advice =
      "Dropped ones are here only: the cloud refused them, or the queue was full. Check the key.";
    return [{ name, state: "warn", detail, advice }];
  }
  return [{ name, state: "ok", detail }];
}

async function countQueued(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(".entry")).length;
}

async function checkPort({ host, port }: Config): Promise<Check> {
  const name = "port";
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, "listening");
    return { name, state: "ok", detail: `${host}:${port} is free` };
  } catch (error) {
    return {
      name,
      state: "fail",
      detail: `${host}:${port} cannot be listened on (${systemCode(error)})`,
      advice: "Choose another with --port and --host.",
    };
  } finally {
    probe.close();
  }
}

/** Any answer will do: whether it takes the key is up to the exchange. */
async function checkCloud(url: string): Promise<Check> {
  const name = "cloud";
  try {
    await fetch(url, { signal: AbortSignal.timeout(CLOUD_TIMEOUT_MS) });
    return { name, state: "ok", detail: `${url} answers` };
  } catch {
    const advice = "Exports wait on disk meanwhile. Check the URL, and the network.";
    return { name, state: "warn", detail: `${url} cannot be reached`, advice };
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
