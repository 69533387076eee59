import { z } from "zod";
import { createApp } from "./app.js";
import { findServer } from "./running-server.js";
import { StartError } from "./start-error.js";
import { hasTraces, openStore, type Project, placeOf, type StoreLocation } from "./store/index.js";
import { openTokens, type SecretLocation, type Tokens } from "./tokens.js";
import { version } from "./version.js";

/** Where a server's traces are, and what it signs tokens with. */
export type ServerLocation = StoreLocation & SecretLocation;

type Method = "GET" | "POST";

interface RequestOptions {
  /** Bytes are JSON already. */
  readonly body?: object | Uint8Array<ArrayBuffer>;
  /** A project's; without it, the request comes from the user who runs the server. */
  readonly token?: string;
}

/** The server's API, as the user who runs it. */
export interface AdminApi {
  /** Where a server answers; undefined if this process does. */
  readonly serverUrl: string | undefined;
  /** Where the traces are that it serves. */
  readonly place: string;
  send(method: Method, path: string, options?: RequestOptions): Promise<Response>;
  /** @throws {StartError} when it is answered with an error. */
  request(method: Method, path: string, options?: RequestOptions): Promise<unknown>;
  /** A token of that project's, for what stays here: nothing that is sent with it is forwarded. */
  tokenOf(project: Pick<Project, "id" | "apiKey">): Promise<string>;
  close(): Promise<void>;
}

/**
 * One process at a time can open the store: a server that runs is asked over HTTP, and where none runs
 * the same routes are called in this process.
 *
 * @throws {StartError}
 */
export async function openAdminApi(location: ServerLocation): Promise<AdminApi> {
  return (await connectToServer(location)) ?? (await openInProcess(location));
}

/**
 * The same for who only looks: undefined where no database was made yet. One of AgentOps' own is never
 * made here: that it is not there is an error.
 *
 * @throws {StartError}
 */
export async function openExisting(location: ServerLocation): Promise<AdminApi | undefined> {
  const running = await connectToServer(location);
  if (running) return running;
  const exists = location.clickHouse?.readOnly !== undefined || (await hasTraces(location));
  return exists ? await openInProcess(location) : undefined;
}

/**
 * For commands that have nothing to do where there is nothing.
 *
 * @throws {StartError}
 */
export async function requireExisting(location: ServerLocation): Promise<AdminApi> {
  const api = await openExisting(location);
  if (api) return api;
  throw new StartError(
    `There is no agentops-local data in ${placeOf(location)}. Give the --data-dir that the server has.`,
  );
}

/**
 * The server that runs on that data folder; undefined if none does.
 *
 * @throws {StartError} when it does not let this user in, or serves another database than the one that was asked for.
 */
export async function connectToServer(location: ServerLocation): Promise<AdminApi | undefined> {
  const running = await findServer(location.dataDir);
  if (!running) return undefined;
  const { url, place } = running;
  const api = adminApi(await openTokens(location), {
    fetch: (request) => fetch(request),
    url,
    serverUrl: url,
    place,
    close: async () => {},
  });
  const { ok, status } = await api.send("GET", "/opsboard/projects");
  if (!ok) throw new StartError(refusal(url, status));
  if (location.clickHouse && place !== placeOf(location)) {
    throw new StartError(
      `The server at ${url}, which runs on ${location.dataDir}, has its traces in ${place}, and not in ${placeOf(location)}, as CLICKHOUSE_URL says. Unset CLICKHOUSE_URL to use that server, stop it, or choose another --data-dir.`,
    );
  }
  return api;
}

function refusal(url: string, status: number): string {
  const advice =
    status === 401
      ? "it signs tokens with another secret. Set AGENTOPS_LOCAL_JWT_SECRET as it is set there"
      : "see what it reports";
  return `The server at ${url} answered ${status}: ${advice}.`;
}

/**
 * The same routes without a server; nobody else may have the store open.
 *
 * @throws {StartError}
 */
async function openInProcess(location: ServerLocation): Promise<AdminApi> {
  const store = await openStore(location);
  const tokens = await openTokens(location).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const app = createApp({
    store,
    tokens,
    version,
    anonymousProjectId: undefined,
    allowedHosts: undefined,
    isReadOnly: location.clickHouse?.readOnly !== undefined,
    forwarder: undefined,
    onError: () => {},
    onWarning: () => {},
  });
  return adminApi(tokens, {
    fetch: async (request) => await app.fetch(request),
    url: "http://localhost",
    serverUrl: undefined,
    place: placeOf(location),
    close: () => store.close(),
  });
}

interface Connection extends Pick<AdminApi, "serverUrl" | "place" | "close"> {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly url: string;
}

function adminApi(tokens: Tokens, { fetch, url, ...connection }: Connection): AdminApi {
  async function send(method: Method, path: string, { body, token }: RequestOptions = {}) {
    const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body ?? ""));
    return await fetch(
      new Request(url + path, {
        method,
        headers: {
          authorization: `Bearer ${token ?? (await tokens.issueAdmin())}`,
          "content-type": "application/json",
          // Where no network is between, nobody else says how much it is.
          ...(body && { "content-length": String(bytes.length) }),
        },
        ...(body && { body: bytes }),
      }),
    );
  }

  return {
    ...connection,
    send,
    async request(method, path, options) {
      const response = await send(method, path, options);
      if (response.ok) return await response.json();
      const reason = detailIn(await response.text());
      throw new StartError(`The server answered ${response.status}: ${reason}`);
    },
    tokenOf: (project) => tokens.issue(project),
  };
}

const refusalSchema = z.object({ detail: z.string() });

/** What a refusal says to a person, else the whole of it. */
function detailIn(text: string): string {
  try {
    return refusalSchema.parse(JSON.parse(text)).detail;
  } catch {
    return text;
  }
}
