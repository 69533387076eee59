import { join } from "node:path";
import { z } from "zod";
import { type AdminApi, openExisting } from "../admin-api.js";
import type { Config } from "../config.js";
import { countQueued } from "../forward/forwarder.js";
import { isLoopback } from "../host.js";
import { counted } from "../progress.js";
import { isKeyHash } from "../rest/key-exchange.js";
import { MAX_REFUSED_KEYS } from "../rest/refused-keys.js";
import { defaultProject, placeOf } from "../store/index.js";
import { version } from "../version.js";
import { type Check, look } from "./check.js";
import { checkPort } from "./machine-checks.js";

/** What only the API can tell: of the server that runs, or else of the database itself. */
export async function checkServer(config: Config): Promise<readonly Check[]> {
  return await look("database", async () => {
    const api = await openExisting(config);
    if (!api) {
      const detail = `${placeOf(config)}, made at the first start`;
      return [await checkPort(config), { name: "database", state: "ok", detail }];
    }
    try {
      return await checkApi(api, config);
    } finally {
      await api.close();
    }
  });
}

async function checkApi(api: AdminApi, config: Config): Promise<Check[]> {
  const port = api.serverUrl === undefined ? [await checkPort(config)] : [];
  const health = readHealth(api);
  const server = await look("server", async () => aboutServer(api, await health));
  const projects = await look("projects", () => checkProjects(api, config));
  const forwarding = await look("forwarding", async () => [
    ...anonymousExportsCheck(await health, isOneGoodProject(projects)),
    ...(await checkQueue(config, await health)),
  ]);
  return [...port, ...server, ...projects, ...forwarding];
}

const healthSchema = z.object({
  version: z.string(),
  database: z.object({ kind: z.string(), version: z.string() }),
  refused_keys: z.number(),
  anonymous_exports: z.number(),
  forward: z
    .object({ to: z.string(), queued: z.number(), sent: z.number(), dropped: z.number() })
    .optional(),
});

type Health = z.output<typeof healthSchema>;

async function readHealth(api: AdminApi): Promise<Health> {
  return healthSchema.parse(await api.request("GET", "/health"));
}

function aboutServer({ serverUrl, place }: AdminApi, health: Health): Check[] {
  return [
    runningCheck(serverUrl, health.version),
    databaseCheck(place, health),
    ...refusedKeysCheck(health),
  ];
}

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

function databaseCheck(place: string, { database: { kind, version } }: Health): Check {
  return { name: "database", state: "ok", detail: `ClickHouse ${version} (${kind}), ${place}` };
}

const projectsSchema = z.array(z.object({ id: z.string(), name: z.string(), api_key: z.string() }));
const tokenSchema = z.object({ token: z.string() });
const listSchema = z.object({
  traces: z.array(z.object({ start_time: z.string() })),
  total: z.number(),
  metrics: z.object({ span_count: z.number() }),
});

type Project = z.output<typeof projectsSchema>[number];

async function checkProjects(api: AdminApi, { host }: Config): Promise<Check[]> {
  const checks: Check[] = [];
  for (const project of projectsSchema.parse(await api.request("GET", "/opsboard/projects"))) {
    const name = `project ${project.name}`;
    checks.push(...(await look(name, async () => [await checkProject(api, project)])));
    if (project.api_key === defaultProject.apiKey && !isLoopback(host)) checks.push(knownKey);
  }
  return checks;
}

const knownKey: Check = {
  name: "default key",
  state: "warn",
  detail: "other machines reach the server, and this key is the same on every installation",
  advice: "agentops-local projects rotate-key default",
};

/** As a client would meet it: the key is exchanged, and the token lists. The key of a cloud's is not known here. */
async function checkProject(api: AdminApi, { id, name, api_key }: Project): Promise<Check> {
  const isCloud = isKeyHash(api_key);
  const token = isCloud
    ? await api.tokenOf({ id, apiKey: api_key })
    : tokenSchema.parse(await api.request("POST", "/v3/auth/token", { body: { api_key } })).token;
  const list = await api.request("GET", "/v4/traces?limit=1", { token });
  const key = isCloud ? "its key is the cloud's" : "key is good";
  return { name: `project ${name}`, state: "ok", ...newestSpan(key, listSchema.parse(list)) };
}

function newestSpan(
  key: string,
  { traces, total, metrics }: z.output<typeof listSchema>,
): Pick<Check, "detail" | "advice"> {
  const [newest] = traces;
  if (!newest) {
    const advice = "Point an SDK at the server, or start it with --sample.";
    return { detail: `${key}; no spans yet`, advice };
  }
  const counts = `${counted(metrics.span_count, "span")} in ${counted(total, "trace")}`;
  return { detail: `${key}; ${counts}, the newest of ${newest.start_time}` };
}

function refusedKeysCheck({ refused_keys, forward }: Health): Check[] {
  if (refused_keys === 0) return [];
  const atLeast = refused_keys === MAX_REFUSED_KEYS ? "at least " : "";
  const detail = `${atLeast}${counted(refused_keys, "key")} refused since the start: they open no project`;
  const cloud = forward ? `${forward.to}, or of: ` : "";
  const advice = `Give AGENTOPS_API_KEY, where your agent or MCP client runs, a key of: ${cloud}agentops-local projects list`;
  return [{ name: "API keys", state: "warn", detail, advice }];
}

/** A single check that failed may stand for any number of projects. */
function isOneGoodProject(checks: readonly Check[]): boolean {
  return checks.length === 1 && checks[0]?.state === "ok";
}

/** Where there is but one project, and no cloud, nothing is missing anywhere. */
function anonymousExportsCheck(
  { anonymous_exports, forward }: Health,
  isOnlyProject: boolean,
): Check[] {
  if (anonymous_exports === 0 || (isOnlyProject && !forward)) return [];
  const consequence = forward ? " and were not forwarded" : "";
  const detail = `${counted(anonymous_exports, "export")} came without a valid token since the start: their spans are in the default project${consequence}`;
  const advice =
    "Start runs once the SDK has its token: in a short Python script, time.sleep(2) after agentops.init(). To an OpenTelemetry SDK give a token of POST /v3/auth/token, not the key.";
  return [{ name: "exports", state: "warn", detail, advice }];
}

/** What is still to go to the cloud. */
async function checkQueue(
  { dataDir, forward }: Config,
  { forward: status }: Health,
): Promise<Check[]> {
  const name = "forwarding";
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
