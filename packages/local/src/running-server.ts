import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { instanceId } from "./instance.js";
import { placeOf, type StoreLocation } from "./store/index.js";

/** Where a running server tells this machine's other programs how to reach it, and where its traces are. */
const SERVER_URL_FILE = "server-url";

/** A server says in a moment who it is; another program on its port may never answer. */
const HEALTH_TIMEOUT_MS = 2_000;

/** Leaves word that a server answers there; the result takes it back. */
export async function announceServer(
  location: StoreLocation,
  url: string,
): Promise<() => Promise<void>> {
  const path = join(location.dataDir, SERVER_URL_FILE);
  await writeFile(path, [url, instanceId, placeOf(location)].join("\n"), { mode: 0o600 });
  return () => rm(path, { force: true });
}

interface FoundServer {
  readonly url: string;
  /** Where the traces are that it serves. */
  readonly place: string;
}

/** The server that left word in that folder, and still answers. */
export async function findServer(dataDir: string): Promise<FoundServer | undefined> {
  const word = await readFile(join(dataDir, SERVER_URL_FILE), "utf8").catch(() => undefined);
  if (!word) return undefined;
  const [url = "", instance, place = ""] = word.split("\n");
  // A killed server leaves its word behind, and another program may have taken the port.
  return instance && (await instanceAt(url)) === instance ? { url, place } : undefined;
}

const instanceSchema = z.object({ instance: z.string() });

/** True if this program listens there, whatever its traces are. */
export async function isServerAt(url: string): Promise<boolean> {
  return (await instanceAt(url)) !== undefined;
}

/** Asked without a token; undefined where no server of this program answers. */
async function instanceAt(url: string): Promise<string | undefined> {
  const signal = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
  const response = await fetch(`${url}/health`, { redirect: "error", signal }).catch(
    () => undefined,
  );
  const body: unknown = await response?.json().catch(() => undefined);
  return instanceSchema.safeParse(body).data?.instance;
}
