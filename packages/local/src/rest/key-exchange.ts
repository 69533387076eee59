import type { Project, Store } from "../store/index.js";
import { RestError } from "./errors.js";
import type { RestOptions } from "./routes.js";
import { sha256 } from "./sha256.js";

export interface ExchangedKey {
  readonly token: string;
  readonly projectId: string;
}

/**
 * An API key for a token of this server's own, or undefined if nobody knows the key.
 *
 * With forwarding, the cloud is asked first. The project it names gets a twin here; the key is kept with
 * it as a hash only, by which it is known again when the cloud cannot be reached.
 */
export async function exchangeKey(
  options: RestOptions,
  apiKey: string,
): Promise<ExchangedKey | undefined> {
  const { store, tokens } = options;
  const twin = await cloudProject(options, apiKey);
  if (twin) return { token: await tokens.issue(twin, apiKey), projectId: twin.id };
  const project = await store.projects.byApiKey(apiKey);
  return project && { token: await tokens.issue(project), projectId: project.id };
}

/** Undefined if the key is none of the cloud's. */
async function cloudProject(options: RestOptions, apiKey: string): Promise<Project | undefined> {
  const answer = await options.forwarder?.exchange(apiKey);
  switch (answer?.kind) {
    case "accepted":
      return await twinOf(options.store, answer.projectId, hashOf(apiKey));
    case "unreachable":
      return await lastKnownProject(options, apiKey);
    default:
      return undefined;
  }
}

async function twinOf(store: Store, id: string, keyHash: string): Promise<Project> {
  const known = await store.projects.byId(id);
  if (known && (known.apiKey === keyHash || !isKeyHash(known.apiKey))) return known;

  const name = `cloud ${id.slice(0, 8)}`;
  const twin = { id, name, environment: "production", ...known, apiKey: keyHash };
  if (known) await store.projects.setApiKey(id, keyHash);
  else await store.projects.add(twin);
  return twin;
}

/** A key that was never seen opens the default project, where everybody is this machine's user. */
async function lastKnownProject(
  { store, anonymousProjectId }: RestOptions,
  apiKey: string,
): Promise<Project> {
  const project =
    (await store.projects.byApiKey(hashOf(apiKey))) ??
    (await store.projects.byApiKey(apiKey)) ??
    (anonymousProjectId && (await store.projects.byId(anonymousProjectId)));
  if (project) return project;
  throw new RestError(503, { error: "The key cannot be checked: AgentOps is not reachable." });
}

const HASH_PREFIX = "sha256:";

function hashOf(apiKey: string): string {
  return HASH_PREFIX + sha256(apiKey);
}

/** What a project of the cloud's has in place of its key, which is a UUID. */
export function isKeyHash(apiKey: string): boolean {
  return apiKey.startsWith(HASH_PREFIX);
}
