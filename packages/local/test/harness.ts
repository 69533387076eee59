import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type ServerOptions, startServer } from "../src/server.js";
import { defaultProject } from "../src/store/index.js";

export const defaultKey = defaultProject.apiKey;
export const defaultProjectId = defaultProject.id;

export interface TestServer {
  readonly url: string;
  readonly dataDir: string;
  /** What the server reported through `onError`. */
  readonly errors: unknown[];
  /** And through `onWarning`. */
  readonly warnings: string[];
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** Reads a path with a token of the default project. */
  read(path: string): Promise<Answer>;
  close(): Promise<void>;
}

/** A parsed answer; tests look into bodies of every shape. */
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the test states what it expects to find
  readonly body: any;
}

export async function temporaryFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "agentops-local-"));
}

/** One for all tests of the file that asks, removed after them. */
export async function folderForTests(): Promise<string> {
  const folder = await temporaryFolder();
  afterAll(() => rm(folder, { recursive: true }));
  return folder;
}

/** A real server on a free port, over a store of its own. The engine allows one at a time per process. */
export async function startTestServer(
  dataDir?: string,
  { host = "127.0.0.1", ...options }: Partial<ServerOptions> = {},
): Promise<TestServer> {
  const folder = dataDir ?? (await temporaryFolder());
  const errors: unknown[] = [];
  const warnings: string[] = [];
  const server = await startServer({
    ...options,
    host,
    port: 0,
    dataDir: folder,
    onError: (error) => errors.push(error),
    onWarning: (message) => warnings.push(message),
  });
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(server.url + path, { headers });

  return {
    url: server.url,
    dataDir: folder,
    errors,
    warnings,
    get,
    async read(path) {
      return await readAs(server.url, path, await fetchToken(server.url));
    },
    async close() {
      await server.close();
      if (!dataDir) await rm(folder, { recursive: true });
    },
  };
}

/** All that comes in pages. */
export async function collect<Item>(pages: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

export async function fetchToken(url: string, apiKey = defaultKey): Promise<string> {
  const { body } = await postJson(`${url}/v3/auth/token`, { api_key: apiKey });
  return body.token;
}

export async function postJson(url: string, body: unknown): Promise<Answer> {
  return await answer(
    await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

export async function readAs(url: string, path: string, token: string): Promise<Answer> {
  return await answer(await fetch(url + path, { headers: { authorization: `Bearer ${token}` } }));
}

export async function answer(response: Response): Promise<Answer> {
  return { status: response.status, body: await response.json() };
}
