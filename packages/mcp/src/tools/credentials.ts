import * as z from "zod";

/** Named after the environment variables, so that an agent that found one knows where it goes. */
const AGENTOPS_API_KEY = z.string().describe("AgentOps API key of the project to read.");
const AGENTOPS_API_URL = z.string().describe("AgentOps API to read from.");

/** Models fill in what they do not know with an empty string. */
const given = z
  .string()
  .transform((text) => text.trim() || undefined)
  .optional();

const credentialFields = { AGENTOPS_API_KEY: given, AGENTOPS_API_URL: given };
const credentialSchema = z.object(credentialFields);

/** The credential that came with one call. It lives no longer than the call. */
export type CallCredential = z.output<typeof credentialSchema>;

/** What a call falls back on. */
export interface ConfiguredCredential {
  /** Whether calls may come without AGENTOPS_API_KEY because the server has one. */
  readonly isKeyConfigured: boolean;
  readonly apiUrl: string;
}

/**
 * The parameters a client is shown. Without a configured key every tool asks for one; with it only
 * the two original tools still mention it, because definitions cost context.
 */
export function shownInput(
  input: z.ZodObject,
  { isKeyConfigured, apiUrl, isOriginal }: ConfiguredCredential & { isOriginal: boolean },
): z.ZodObject {
  const url = AGENTOPS_API_URL.default(apiUrl);
  if (!isKeyConfigured) return input.extend({ AGENTOPS_API_KEY, AGENTOPS_API_URL: url });
  if (!isOriginal) return input;
  return input.extend({ AGENTOPS_API_KEY: AGENTOPS_API_KEY.optional(), AGENTOPS_API_URL: url });
}

/** The parameters a call may bring: every tool accepts a credential, whether or not it is shown. */
export function acceptedInput(input: z.ZodObject): z.ZodObject {
  return input.extend(credentialFields);
}

/** Splits parsed arguments into the credential and the tool's own. */
export function splitCredential(args: Record<string, unknown>): {
  credential: CallCredential;
  toolArgs: Record<string, unknown>;
} {
  const { AGENTOPS_API_KEY, AGENTOPS_API_URL, ...toolArgs } = args;
  return { credential: credentialSchema.parse({ AGENTOPS_API_KEY, AGENTOPS_API_URL }), toolArgs };
}
