import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { clickHouseOf, clickHouseSchema } from "./clickhouse-config.js";
import { type Command, checkReadOnly, commandOf } from "./command.js";
import { durationMs } from "./duration.js";
import type { CloudUrls } from "./forward/cloud.js";
import { cloudUrlsOf, forwardFields } from "./forward-config.js";
import { ConfigError } from "./start-error.js";
import type { ClickHouseServer } from "./store/index.js";

export interface Config {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  /** Where traces are kept instead. */
  readonly clickHouse?: ClickHouseServer | undefined;
  /** Signs tokens; undefined for one of the data folder's own. */
  readonly jwtSecret?: string | undefined;
  /** Where to pass on what arrives. */
  readonly forward?: CloudUrls | undefined;
  /** Traces older than that are removed; undefined to keep all. */
  readonly retentionMs?: number | undefined;
  /** Sends sample runs to itself once it listens. */
  readonly sample: boolean;
}

/** What the outside world decides, besides the arguments. */
export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeDir: string;
}

const options = {
  port: { type: "string" },
  host: { type: "string" },
  "data-dir": { type: "string" },
  forward: { type: "string" },
  "forward-exporter": { type: "string" },
  retention: { type: "string" },
  "read-only": { type: "boolean" },
  sample: { type: "boolean" },
  json: { type: "boolean" },
  project: { type: "string" },
  since: { type: "string" },
  until: { type: "string" },
  "trace-id": { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

export const help = `agentops-local: an AgentOps for one machine

Usage: agentops-local [options]
       agentops-local projects list | create <name> | rotate-key <id or name>
       agentops-local doctor [--json]
       agentops-local export [--project <id or name>] [--since <time>] [--until <time>] [--trace-id <id>]... > <file>
       agentops-local import [--project <id or name>] <file, or - for the standard input>

  --port <number>     port to listen on, 0 for any free one   (AGENTOPS_LOCAL_PORT, 8000)
  --host <address>    address to listen on                    (AGENTOPS_LOCAL_HOST, 127.0.0.1)
  --data-dir <path>   where traces are kept                   (AGENTOPS_LOCAL_DATA_DIR, the user's data directory)
  --forward <url>     pass on what arrives to that AgentOps   (AGENTOPS_LOCAL_FORWARD; "cloud" for AgentOps Cloud)
  --forward-exporter <url>
                      its OTLP endpoint, if on another host   (AGENTOPS_LOCAL_FORWARD_EXPORTER)
  --retention <time>  remove older traces: 12h, 30d, 8w       (AGENTOPS_LOCAL_RETENTION, all are kept)
  --read-only         read AgentOps' own database at CLICKHOUSE_URL (CLICKHOUSE_DATABASE, otel_2), and change nothing;
                      with AGENTOPS_LOCAL_PROJECTS=<project id>=<API key>,... (those of AgentOps' seed data)
  --sample            send sample runs once, to have something to look at
  --json              let doctor print JSON
  --project <id or name>
                      whose traces to export, or where to import them (the default project)
  --since, --until <time>
                      export traces that ran between: 90m, 12h, 30d (ago), 2026-01-31 (all of it), 2026-01-31T09:30; UTC
  --trace-id <id>     export that trace; may come several times
  --help              print this
  --version           print the version

  CLICKHOUSE_URL      keep traces on that ClickHouse server, not in the data folder; with CLICKHOUSE_USER (default),
                      CLICKHOUSE_PASSWORD, CLICKHOUSE_DATABASE (agentops), and CLICKHOUSE_CLUSTER for one of many
  AGENTOPS_LOCAL_JWT_SECRET
                      what servers that share a database sign tokens with
`;

const portRule = "--port (AGENTOPS_LOCAL_PORT) must be a port number, 0 to 65535.";
const MIN_SECRET_LENGTH = 32;

const retentionRule =
  "--retention (AGENTOPS_LOCAL_RETENTION) must be a number of minutes, hours, days or weeks from 1 on: 90m, 12h, 30d, 8w.";

const schema = z.object({
  port: z
    .string()
    .regex(/^\d+$/, portRule)
    .transform(Number)
    .pipe(z.number().max(65_535, portRule))
    .default(8000),
  host: z
    .string()
    .min(1, "--host (AGENTOPS_LOCAL_HOST) must be an address or host name.")
    .transform((host) => host.replace(/^\[(.*)\]$/, "$1"))
    .default("127.0.0.1"),
  dataDir: z
    .string()
    .min(1, "--data-dir (AGENTOPS_LOCAL_DATA_DIR) must be a path.")
    .transform((path) => resolve(path)),
  ...forwardFields,
  retentionMs: z
    .string()
    .transform(durationMs)
    .refine((ms) => ms !== undefined, retentionRule)
    .optional(),
  sample: z.boolean().default(false),
  clickHouse: clickHouseSchema.optional(),
  jwtSecret: z
    .string()
    .min(
      MIN_SECRET_LENGTH,
      `AGENTOPS_LOCAL_JWT_SECRET must have ${MIN_SECRET_LENGTH} characters or more.`,
    )
    .optional(),
});

/**
 * An environment variable that is empty counts as unset; an empty flag is a mistake.
 *
 * @throws {ConfigError}
 */
export function parseCommand(args: readonly string[], environment: Environment): Command {
  const { flags, words } = parseWords(args);
  if (flags.help) return { kind: "help" };
  if (flags.version) return { kind: "version" };

  const setting = (name: Setting) =>
    flags[name] ?? (environment.env[variableOf(name)] || undefined);
  const parsed = schema.safeParse({
    port: setting("port"),
    host: setting("host"),
    dataDir: setting("data-dir") ?? defaultDataDir(environment),
    forward: setting("forward"),
    forwardExporter: setting("forward-exporter"),
    retentionMs: setting("retention"),
    sample: flags.sample,
    clickHouse: clickHouseOf(environment.env, flags["read-only"] ?? false),
    jwtSecret: environment.env.AGENTOPS_LOCAL_JWT_SECRET || undefined,
  });
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(({ message }) => message).join("\n"));
  }
  const { forward: _, forwardExporter: __, ...config } = parsed.data;
  const forward = cloudUrlsOf(parsed.data);
  const served = { ...config, ...(forward && { forward }) };
  const command = commandOf(words, flags, served);
  if (flags["read-only"]) checkReadOnly(command);
  return command;
}

type Setting = "port" | "host" | "data-dir" | "forward" | "forward-exporter" | "retention";

function variableOf(setting: Setting): string {
  return `AGENTOPS_LOCAL_${setting.toUpperCase().replaceAll("-", "_")}`;
}

function parseWords(args: readonly string[]) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true });
    return { flags: parsed.values, words: parsed.positionals };
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`);
    const [reason = ""] = error instanceof Error ? error.message.split(/\.\s/) : [String(error)];
    const problem = reason.replace("is ambiguous", "must not begin with a dash");
    throw new ConfigError(`${problem}. Valid options: ${names.join(", ")}.`, { cause: error });
  }
}

/** Where each system keeps a user's application data. */
function defaultDataDir({ env, platform, homeDir }: Environment): string {
  const base =
    platform === "darwin"
      ? join(homeDir, "Library", "Application Support")
      : env.XDG_DATA_HOME || join(homeDir, ".local", "share");
  return join(base, "agentops-local");
}
