import { createBoundedCache } from "./bounded-cache.js";

/** What was found out about one deployment, so that each call does not have to find it out again. */
export interface Deployment {
  /** Routes that it does not have, or keeps for signed-in users. */
  readonly missingRoutes: Set<string>;
  /** What it offers beyond AgentOps' own API; undefined until it was asked. */
  capabilities: ReadonlySet<string> | undefined;
}

export interface Deployments {
  of(baseUrl: string, hasSession: boolean): Deployment;
  clear(): void;
}

/** Long enough to spare the extra requests, short enough to notice an upgraded server. */
export const DEPLOYMENT_TTL_MS = 10 * 60_000;
const MAX_DEPLOYMENTS = 256;

export function createDeployments(now: () => number): Deployments {
  const known = createBoundedCache<Deployment>({
    maxWeight: MAX_DEPLOYMENTS,
    ttlMs: DEPLOYMENT_TTL_MS,
    now,
  });

  return {
    of(baseUrl, hasSession) {
      // What is refused without a session cookie may be answered with one.
      const key = `${hasSession} ${baseUrl}`;
      const deployment = known.get(key) ?? { missingRoutes: new Set(), capabilities: undefined };
      if (!known.get(key)) known.set(key, deployment);
      return deployment;
    },
    clear: known.clear,
  };
}
