import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type AdminApi, connectToServer, openInProcess } from "../admin-api.js";
import type { Config } from "../config.js";
import { counted } from "../progress.js";
import { MAX_REFUSED_KEYS } from "../rest/refused-keys.js";
import { StartError } from "../start-error.js";
import { hasTraces, placeOf } from "../store/index.js";
import { version } from "../version.js";
import type { Check } from "./check.js";
import { checkPort } from "./machine-checks.js";

/** What only the API can tell: of the server that runs, or else of the database itself. */
export async function checkServer(config: Config): Promise<Check[]> {
  let api: AdminApi | undefined;
  try {
    api = await openExisting(config);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return [{ name: "database", state: "fail", detail: "does not open", advice: error.message }];
  }
  if (!api) {
    const detail = `${placeOf(config)}, made at the first start`;
    return [await checkPort(config), { name: "database", state: "ok", detail }];
  }
  try {
    const health = healthSchema.parse(await api.request("GET", "/health"));
    return [
      ...(api.serverUrl === undefined ? [await checkPort(config)] : []),
      runningCheck(api.serverUrl, health.version),
      databaseCheck(api.place, health),
      ...(await checkProjects(api)),
      ...refusedKeysCheck(health),
      ...(await checkQueue(config, health)),
    ];
  } finally {
    await api.close();
  }
}

/** Undefined where a database is still to be made. One that is only read never is: that it is not there is an error. */
async function openExisting(config: Config): Promise<AdminApi | undefined> {
  const running = await connectToServer(config);
  if (running) return running;
  const { clickHouse } = config;
  const isNew = clickHouse && !clickHouse.readOnly && !(await hasTraces(clickHouse));
  return isNew ? undefined : await openInProcess(config);
}

const healthSchema = z.object({
  version: z.string(),
  database: z.object({ kind: z.string(), version: z.string() }),
  refused_keys: z.number(),
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

function refusedKeysCheck({ refused_keys }: z.output<typeof healthSchema>): Check[] {
  if (refused_keys === 0) return [];
  const atLeast = refused_keys === MAX_REFUSED_KEYS ? "at least " : "";
  const detail = `${atLeast}${counted(refused_keys, "key")} refused since the start: they open no project`;
  const advice =
    "Give AGENTOPS_API_KEY, where your agent or MCP client runs, a key of: agentops-local projects list";
  return [{ name: "API keys", state: "warn", detail, advice }];
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
      "Dropped ones are here only: the cloud refused them or failed too often, or the queue was full. Check the key.";
    return [{ name, state: "warn", detail, advice }];
  }
  return [{ name, state: "ok", detail }];
}

async function countQueued(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith(".entry")).length;
}
