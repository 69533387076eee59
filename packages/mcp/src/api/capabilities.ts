import type { Call } from "./call.js";
import type { Deployment } from "./deployments.js";
import { parseJson } from "./json.js";
import { healthSchema } from "./schemas.js";
import type { Transport } from "./transport.js";
import { judge } from "./verdict.js";

interface Source {
  readonly transport: Transport;
  readonly baseUrl: string;
  readonly deployment: Deployment;
}

/** Asks `/health`, once per deployment, what it offers beyond AgentOps. AgentOps itself does not say. */
export async function readCapabilities(
  { transport, baseUrl, deployment }: Source,
  call: Call,
): Promise<ReadonlySet<string>> {
  if (deployment.capabilities) return deployment.capabilities;

  const url = new URL(`${baseUrl}/health`);
  const answer = await transport.request({ method: "GET", url, headers: {} }, call);
  const health = healthSchema.safeParse(parseJson(answer.body));
  const offered = new Set(health.data?.capabilities);
  // A server that fails to answer now may answer the next call.
  if (judge(answer) !== "failed") deployment.capabilities = offered;
  return offered;
}
