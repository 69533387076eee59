import * as z from "zod";

export const PRODUCTION_API_URL = "https://api.agentops.ai";

const nonEmpty = z
  .string()
  .trim()
  .transform((value) => (value === "" ? undefined : value))
  .optional();

/** Every environment variable the server reads. `docs/configuration.md` is made from this. */
export const configSchema = z.object({
  AGENTOPS_API_KEY: nonEmpty.describe(
    "API key of the project to read. Without it every call must bring one.",
  ),
  AGENTOPS_API_URL: nonEmpty
    .transform((value) => value ?? PRODUCTION_API_URL)
    .describe(`AgentOps API to read from. Default: \`${PRODUCTION_API_URL}\`.`),
  AGENTOPS_ALLOWED_API_URLS: nonEmpty
    .transform((value) => value?.split(/[\s,]+/).filter(Boolean) ?? [])
    .describe("Further API URLs, comma-separated, to which the configured key may be sent."),
  AGENTOPS_SESSION_COOKIE: nonEmpty.describe(
    "Value of the dashboard's `session_id` cookie, for deployments that list traces to signed-in users only.",
  ),
  AGENTOPS_LOG_FILE: nonEmpty
    .transform((value) => value ?? "agentops.log")
    .describe(
      "The SDK's log file, where trace ids are found when the API lists none. Default: `agentops.log` in the working folder.",
    ),
  AGENTOPS_MAX_RAW_TOKENS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(1_000_000)
    .default(10_000)
    .describe("Longest raw trace, in tokens, that `trace_detail` returns unasked. Default: 10000."),
});

export type Config = z.output<typeof configSchema>;

/** Reads the configuration. Throws an error that names each variable at fault and never its value. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const result = configSchema.safeParse(env);
  if (result.success) return result.data;

  const faults = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`Configuration is not valid. ${faults.join(". ")}.`);
}
