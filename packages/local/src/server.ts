import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { connectToServer, type ServerLocation } from "./admin-api.js";
import { createApp } from "./app.js";
import type { CloudUrls } from "./forward/cloud.js";
import { type Forwarder, openForwarder } from "./forward/forwarder.js";
import { isLoopback, loopbackHosts, placeAt, reachableUrl } from "./host.js";
import { createMcpRoute, type McpRoute } from "./mcp.js";
import { startRetention } from "./retention.js";
import { announceServer, isServerAt } from "./running-server.js";
import { StartError, systemCode } from "./start-error.js";
import { defaultProject, openStore, type Project, type Store } from "./store/index.js";
import { openTokens } from "./tokens.js";
import { version } from "./version.js";

export interface ServerOptions extends ServerLocation {
  readonly host: string;
  readonly port: number;
  /** Where to pass on what arrives; undefined to keep it here. */
  readonly forward?: CloudUrls | undefined;
  /** Traces older than that are removed; undefined to keep all. */
  readonly retentionMs?: number | undefined;
  /** Told of failures that no answer can explain to its reader. */
  readonly onError: (error: unknown) => void;
  /** Told in words of what its user would see nowhere else. */
  readonly onWarning: (message: string) => void;
}

export interface RunningServer {
  /** Where it can be reached from this machine. */
  readonly url: string;
  /** The default project, with the key it has now. */
  readonly project: Project;
  /** Takes no more requests, finishes those it has within 5 s or ends them with an error, writes what is waiting, closes the store. */
  close(): Promise<void>;
}

/**
 * By then a request is there whole: what it announced takes room from others. OpenTelemetry's exporters
 * wait as long by default.
 */
export const REQUEST_TIMEOUT_MS = 10_000;
const TIMEOUT_CHECK_INTERVAL_MS = 1_000;

/** Whoever can reach a loopback address is this machine's user, and needs no key for what is this machine's own. */
export function opensWithoutKey({ host, clickHouse }: Pick<ServerOptions, "host" | "clickHouse">) {
  return isLoopback(host) && clickHouse?.readOnly === undefined;
}

/**
 * Opens the store and serves it.
 *
 * @throws {StartError} when the folder or the address is not to be had.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host, retentionMs } = options;
  await refuseSecond(options);
  const store = await openStore(options);
  const forwarder = await forwarderOf(options);
  const project = options.clickHouse?.readOnly?.projects[0] ?? defaultProject;
  const { app, mcp } = await createRoutes(options, { store, forwarder, project });

  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS },
    getRequestListener(app.fetch),
  );
  await listen(server, options).catch(async (error) => {
    await forwarder?.close();
    await store.close();
    throw error;
  });

  const url = reachableUrl({ host, port: boundPort(server) });
  const retract = await announceServer(options, url);

  const retention =
    retentionMs === undefined ? undefined : startRetention({ ...options, store, retentionMs });

  return {
    url,
    project: (await store.projects.byId(project.id)) ?? project,
    async close() {
      await retract();
      await closeServer(server, mcp);
      await mcp.endCalls();
      await forwarder?.close();
      await retention?.close();
      await store.close();
    },
  };
}

interface Served {
  readonly store: Store;
  readonly forwarder: Forwarder | undefined;
  readonly project: Project;
}

async function createRoutes(options: ServerOptions, { store, forwarder, project }: Served) {
  const { host, onError, onWarning } = options;
  const allowedHosts = isLoopback(host) ? loopbackHosts : undefined;

  const app = createApp({
    store,
    tokens: await openTokens(options),
    version,
    anonymousProjectId: opensWithoutKey(options) ? project.id : undefined,
    allowedHosts,
    isReadOnly: options.clickHouse?.readOnly !== undefined,
    forwarder,
    onError,
    onWarning,
  });
  const mcp = createMcpRoute({
    version,
    answer: app.fetch,
    allowedHostnames: allowedHosts,
    defaultKey: opensWithoutKey(options)
      ? async () => (await store.projects.byId(project.id))?.apiKey
      : undefined,
    onError,
  });
  app.all("/mcp", ({ req }) => mcp.fetch(req.raw));
  return { app, mcp };
}

async function listen(server: Server, address: Pick<ServerOptions, "host" | "port">) {
  try {
    server.listen(address.port, address.host);
    await once(server, "listening");
  } catch (error) {
    throw await listenError(address, error);
  }
}

/** The engine would refuse too, with a line of its own on stderr and without saying where the other is. */
async function refuseSecond(location: ServerLocation): Promise<void> {
  const running = await connectToServer(location);
  if (!running) return;
  throw new StartError(
    `agentops-local already runs on ${location.dataDir}, at ${running.serverUrl}. Use that one, stop it, or choose another --data-dir.`,
  );
}

async function forwarderOf({ forward, dataDir, onError, onWarning }: ServerOptions) {
  if (!forward) return undefined;
  const folder = join(dataDir, "forward");
  return await openForwarder({ urls: forward, fetch, folder, onError, onWarning });
}

async function listenError(address: Pick<ServerOptions, "host" | "port">, cause: unknown) {
  const code = systemCode(cause);
  const place = placeAt(address);
  if (code === "EADDRINUSE" && (await isServerAt(reachableUrl(address)))) {
    return new StartError(
      `agentops-local already listens on ${place}, with another data folder. Use that one, stop it, or choose another --port.`,
      { cause },
    );
  }
  const advice = listenAdvice[code] ?? "--host must be an address of this machine.";
  return new StartError(`Cannot listen on ${place} (${code}). ${advice}`, { cause });
}

const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE: "That port is in use. Choose another with --port, or --port 0 for any free one.",
  EACCES: "That port needs privileges. Choose one from 1024 on with --port.",
};

function boundPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Not a TCP address.");
  return address.port;
}

/** How long requests under way may go on: Docker kills after 10 s, and a call may wait for a trace for longer. */
const SHUTDOWN_GRACE_MS = 5_000;

/** How often connections that have got their answer are closed, while others still wait for theirs. */
const SWEEP_INTERVAL_MS = 50;

/** For the last answers to go out. A call that waits for a trace looks every 2 s whether it may go on. */
const LAST_ANSWERS_MS = 2_500;

async function closeServer(server: Server, mcp: McpRoute): Promise<void> {
  const closed = once(server, "close");
  server.close();
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL_MS);
  const graceOver = setTimeout(() => void mcp.endCalls(), SHUTDOWN_GRACE_MS);
  const lastCall = setTimeout(
    () => server.closeAllConnections(),
    SHUTDOWN_GRACE_MS + LAST_ANSWERS_MS,
  );
  await closed;
  clearTimeout(graceOver);
  clearTimeout(lastCall);
  clearInterval(sweep);
}
