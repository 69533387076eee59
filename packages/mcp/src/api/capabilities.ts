import type { Call } from "./call.js";
import type { Deployment } from "./deployments.js";
import { parseJson } from "./json.js";
import { healthSchema } from "./schemas.js";
import type { Transport } from "./transport.js";

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
  const { body } = await transport.request({ method: "GET", url, headers: {} }, call);
  const health = healthSchema.safeParse(parseJson(body));
  deployment.capabilities = new Set(health.data?.capabilities);
  return deployment.capabilities;
}
