import * as z from "zod";

/** Named after the environment variables, so that an agent that found one knows where it goes. */
const AGENTOPS_API_KEY = z.string().describe("AgentOps API key of the project to read.");
const AGENTOPS_API_URL = z
  .string()
  .optional()
  .describe("AgentOps API to read from, if not the configured one.");

const requiredFields = { AGENTOPS_API_KEY, AGENTOPS_API_URL };
const optionalFields = { AGENTOPS_API_KEY: AGENTOPS_API_KEY.optional(), AGENTOPS_API_URL };

const credentialSchema = z.object(optionalFields);

/** The credential that came with one call. It lives no longer than the call. */
export type CallCredential = z.output<typeof credentialSchema>;

/**
 * The parameters a client is shown. Without a configured key every tool asks for one; with it only
 * the two original tools still mention it, because definitions cost context.
 */
export function shownInput(
  input: z.ZodObject,
  { isKeyConfigured, isOriginal }: { isKeyConfigured: boolean; isOriginal: boolean },
): z.ZodObject {
  if (!isKeyConfigured) return input.extend(requiredFields);
  return isOriginal ? input.extend(optionalFields) : input;
}

/** The parameters a call may bring: every tool accepts a credential, whether or not it is shown. */
export function acceptedInput(input: z.ZodObject): z.ZodObject {
  return input.extend(optionalFields);
}

/** Splits parsed arguments into the credential and the tool's own. */
export function splitCredential(args: Record<string, unknown>): {
  credential: CallCredential;
  toolArgs: Record<string, unknown>;
} {
  const { AGENTOPS_API_KEY, AGENTOPS_API_URL, ...toolArgs } = args;
  return { credential: credentialSchema.parse({ AGENTOPS_API_KEY, AGENTOPS_API_URL }), toolArgs };
}
