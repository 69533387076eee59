import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { createApp } from "./app.js";
import { instanceId } from "./instance.js";
import { StartError } from "./start-error.js";
import { openStore, type Project, placeOf, type StoreLocation } from "./store/index.js";
import { openTokens, type SecretLocation, type Tokens } from "./tokens.js";
import { version } from "./version.js";

/** Where a running server tells this machine's other programs how to reach it, and where its traces are. */
const SERVER_URL_FILE = "server-url";

/** A server says in a moment who it is; another program on its port may never answer. */
const HEALTH_TIMEOUT_MS = 2_000;

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

/** Leaves word that a server answers there; the result takes it back. */
export async function announceServer(
  location: StoreLocation,
  url: string,
): Promise<() => Promise<void>> {
  const path = join(location.dataDir, SERVER_URL_FILE);
  await writeFile(path, [url, instanceId, placeOf(location)].join("\n"), { mode: 0o600 });
  return () => rm(path, { force: true });
}

/**
 * The server that runs on that data folder; undefined if none does.
 *
 * @throws {StartError} when it does not let this user in, or serves another database than the one that was asked for.
 */
export async function connectToServer(location: ServerLocation): Promise<AdminApi | undefined> {
  const path = join(location.dataDir, SERVER_URL_FILE);
  const word = await readFile(path, "utf8").catch(() => undefined);
  if (!word) return undefined;
  const [url = "", instance, place = ""] = word.split("\n");
  // A killed server leaves its word behind, and another program may have taken the port.
  if (!instance || (await instanceAt(url)) !== instance) return undefined;
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

const instanceSchema = z.object({ instance: z.string() });

/** Asked without a token; undefined where no server of this program answers. */
async function instanceAt(url: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  const response = await fetch(`${url}/health`, { redirect: "error", signal }).catch(
    () => undefined,
  );
  const body: unknown = await response?.json().catch(() => undefined);
  return instanceSchema.safeParse(body).data?.instance;
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
export async function openInProcess(location: ServerLocation): Promise<AdminApi> {
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
