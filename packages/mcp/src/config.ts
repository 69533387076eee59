import { isIPv6 } from "node:net";
import * as z from "zod";
import { normaliseBaseUrl, PRODUCTION_API_URL } from "./api/url-policy.js";

const nonEmpty = z
  .string()
  .trim()
  .transform((value) => (value === "" ? undefined : value))
  .optional();

const isApiUrl = (text: string): boolean => {
  try {
    return normaliseBaseUrl(text) !== "";
  } catch {
    return false;
  }
};
const API_URL_EXPECTED = "must be http or https, such as http://localhost:8000";

/** Longest raw trace, in tokens, that `trace_detail` returns unasked. */
export const DEFAULT_MAX_RAW_TOKENS = 10_000;
const RAW_TOKENS_EXPECTED = "must be a whole number from 1000 to 1000000";

/** Every environment variable the server reads. `docs/configuration.md` is made from this. */
export const configSchema = z.object({
  AGENTOPS_API_KEY: nonEmpty.describe(
    "API key of the project to read. Without it every call must bring one.",
  ),
  AGENTOPS_API_URL: nonEmpty
    .transform((value) => value ?? PRODUCTION_API_URL)
    .refine(isApiUrl, API_URL_EXPECTED)
    .describe(`AgentOps API to read from. Default: \`${PRODUCTION_API_URL}\`.`),
  AGENTOPS_ALLOWED_API_URLS: nonEmpty
    .transform((value) => value?.split(/[\s,]+/).filter(Boolean) ?? [])
    .refine((urls) => urls.every(isApiUrl), API_URL_EXPECTED)
    .describe("Further API URLs, comma-separated, to which the configured key may be sent."),
  AGENTOPS_SESSION_COOKIE: nonEmpty.describe(
    "Value of the dashboard's `session_id` cookie, for deployments that list traces to signed-in users only.",
  ),
  AGENTOPS_LOG_FILE: nonEmpty
    .transform((value) => value ?? "agentops.log")
    .describe(
      "The SDK's log file, where trace ids are found when the API lists none. Default: `agentops.log` in the working folder.",
    ),
  AGENTOPS_MAX_RAW_TOKENS: nonEmpty
    .pipe(
      z.coerce
        .number<string | undefined>(RAW_TOKENS_EXPECTED)
        .int(RAW_TOKENS_EXPECTED)
        .min(1_000, RAW_TOKENS_EXPECTED)
        .max(1_000_000, RAW_TOKENS_EXPECTED)
        .default(DEFAULT_MAX_RAW_TOKENS),
    )
    .describe(
      `Longest raw trace, in tokens, that \`trace_detail\` returns unasked. Default: ${DEFAULT_MAX_RAW_TOKENS}.`,
    ),
});

export type Config = z.output<typeof configSchema>;

/** Reads the configuration. Throws an error that names each variable at fault and never its value. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const result = configSchema.safeParse(env);
  if (result.success) return result.data;

  const faults = result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`Configuration is not valid. ${faults.join(". ")}.`);
}

/** Where `--http` listens unless told otherwise: this machine alone. */
const DEFAULT_HTTP_HOST = "127.0.0.1";
const DEFAULT_HTTP_PORT = 3_000;
const PORT_EXPECTED = "must be a whole number from 0 to 65535";

/** Names under which a server that listens on this machine alone is reached. */
const LOOPBACK_HOSTNAMES = ["localhost", "127.0.0.1", "[::1]"];

/** What `--http` takes on the command line; no secret is among it. */
export const httpFlagsSchema = z.object({
  host: z.string().min(1).default(DEFAULT_HTTP_HOST),
  port: z.coerce
    .number(PORT_EXPECTED)
    .int(PORT_EXPECTED)
    .min(0, PORT_EXPECTED)
    .max(65_535, PORT_EXPECTED)
    .default(DEFAULT_HTTP_PORT),
  "allowed-host": z.array(z.string().min(1)).default([]),
  "auth-token-file": z.string().min(1).optional(),
});

/** Shortest secret that is worth the name, and the characters of a bearer token (RFC 6750 §2.1). */
const authTokenSchema = z.string().regex(/^[A-Za-z0-9._~+/-]{16,}=*$/);

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** What `Host` and `Origin` may name. */
  readonly allowedHostnames: readonly string[];
  readonly authToken: string | undefined;
}

/** Reads the flags of `--http`. Throws an error that names each flag at fault. */
export function readHttpConfig(
  flags: Readonly<Record<string, unknown>>,
  { AGENTOPS_API_KEY }: Config,
  readFile: (path: string) => string,
): HttpConfig {
  const result = httpFlagsSchema.safeParse(flags);
  if (!result.success) {
    const faults = result.error.issues.map(
      ({ path, message }) => `--${path.join(" ")}: ${message}`,
    );
    throw new Error(`${faults.join(". ")}.`);
  }
  const { host, port, "allowed-host": hostnames, "auth-token-file": path } = result.data;
  const authToken = path === undefined ? undefined : readAuthToken(path, readFile);

  const hostname = isIPv6(host) ? `[${host}]` : host;
  if (AGENTOPS_API_KEY && !authToken && !LOOPBACK_HOSTNAMES.includes(hostname)) {
    throw new Error(
      `With AGENTOPS_API_KEY set, everyone who reaches --host ${host} could read your traces. ` +
        "Give --auth-token-file, or leave the key to the callers (X-Agentops-Api-Key).",
    );
  }
  return {
    host,
    port,
    authToken,
    allowedHostnames: [...LOOPBACK_HOSTNAMES, hostname, ...hostnames],
  };
}

function readAuthToken(path: string, readFile: (path: string) => string): string {
  const token = authTokenSchema.safeParse(readFile(path).trim());
  if (token.success) return token.data;
  throw new Error(
    "--auth-token-file: the file must hold one token of 16 characters or more from A-Z a-z 0-9 . _ ~ + / -, such as `openssl rand -hex 32` makes.",
  );
}
