import { isIPv6 } from "node:net";
import * as z from "zod";
import type { Config } from "./config.js";

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
