import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createRestApi } from "./rest/api.js";
import { StartError } from "./start-error.js";
import { openStore, type StoreLocation } from "./store/index.js";
import { openTokens, type SecretLocation, type Tokens } from "./tokens.js";
import { version } from "./version.js";

/** Where a running server tells this machine's other programs how to reach it. */
export const SERVER_URL_FILE = "server-url";

/** Where a server's traces are, and what it signs tokens with. */
export type ServerLocation = StoreLocation & SecretLocation;

interface RequestOptions {
  readonly body?: object;
  /** A project's; without it, the request comes from the user who runs the server. */
  readonly token?: string;
}

/** The REST API, as the user who runs the server. */
export interface AdminApi {
  /** Where a server answers; undefined if this process does. */
  readonly serverUrl: string | undefined;
  /** @throws {StartError} when it is answered with an error. */
  request(method: "GET" | "POST", path: string, options?: RequestOptions): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * One process at a time can open the store: a server that runs is asked over HTTP, and where none runs
 * the same routes are called in this process.
 *
 * @throws {StartError}
 */
export async function openAdminApi(location: ServerLocation): Promise<AdminApi> {
  return (await connectToServer(location)) ?? (await openApi(location));
}

/** The server that runs on that data folder; undefined if none does. */
export async function connectToServer(location: ServerLocation): Promise<AdminApi | undefined> {
  const url = await readFile(join(location.dataDir, SERVER_URL_FILE), "utf8").catch(
    () => undefined,
  );
  if (!url) return undefined;
  const api = adminApi(await openTokens(location), {
    fetch: (request) => fetch(request),
    url,
    serverUrl: url,
    close: async () => {},
  });
  // A killed server leaves its file behind.
  return await api.request("GET", "/opsboard/projects").then(
    () => api,
    () => undefined,
  );
}

async function openApi(location: ServerLocation): Promise<AdminApi> {
  const store = await openStore(location);
  const tokens = await openTokens(location).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const rest = createRestApi({
    store,
    tokens,
    version,
    anonymousProjectId: undefined,
    forwarder: undefined,
  });
  return adminApi(tokens, {
    fetch: async (request) => await rest.fetch(request),
    url: "http://localhost",
    serverUrl: undefined,
    close: () => store.close(),
  });
}

function adminApi(
  tokens: Tokens,
  {
    fetch,
    url,
    ...api
  }: { fetch: (request: Request) => Promise<Response>; url: string } & Omit<AdminApi, "request">,
): AdminApi {
  return {
    ...api,
    async request(method, path, { body, token } = {}) {
      const response = await fetch(
        new Request(url + path, {
          method,
          headers: {
            authorization: `Bearer ${token ?? (await tokens.issueAdmin())}`,
            "content-type": "application/json",
          },
          ...(body && { body: JSON.stringify(body) }),
        }),
      );
      if (response.ok) return await response.json();
      throw new StartError(`The server answered ${response.status}: ${await response.text()}`);
    },
  };
}
