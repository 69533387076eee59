import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { clickHouseOf, clickHouseSchema } from "./clickhouse-config.js";
import { agentopsCloud, type CloudUrls } from "./forward/cloud.js";
import type { ProjectsAction } from "./projects.js";
import { StartError } from "./start-error.js";
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

/** What the command line asks for. */
export type Command =
  | { readonly kind: "serve"; readonly config: Config }
  | { readonly kind: "projects"; readonly action: ProjectsAction; readonly config: Config }
  | { readonly kind: "doctor"; readonly config: Config; readonly json: boolean }
  | { readonly kind: "help" }
  | { readonly kind: "version" };

type ConfiguredCommand = Extract<Command, { config: Config }>;

/** What the outside world decides, besides the arguments. */
export interface Environment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly homeDir: string;
}

/** A mistake in flags or environment; the message says how to correct it. */
export class ConfigError extends StartError {
  override readonly name = "ConfigError";
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
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

export const help = `agentops-local: an AgentOps for one machine

Usage: agentops-local [options]
       agentops-local projects list | create <name> | rotate-key <id or name>
       agentops-local doctor [--json]

  --port <number>     port to listen on, 0 for any free one   (AGENTOPS_LOCAL_PORT, 8000)
  --host <address>    address to listen on                    (AGENTOPS_LOCAL_HOST, 127.0.0.1)
  --data-dir <path>   where traces are kept                   (AGENTOPS_LOCAL_DATA_DIR, the user's data directory)
  --forward <url>     pass on what arrives to that AgentOps   (AGENTOPS_LOCAL_FORWARD; "cloud" for AgentOps Cloud)
  --forward-exporter <url>
                      its OTLP endpoint, if on another host   (AGENTOPS_LOCAL_FORWARD_EXPORTER)
  --retention <time>  remove older traces: 12h, 30d, 8w       (AGENTOPS_LOCAL_RETENTION, all are kept)
  --read-only         read AgentOps' own database at CLICKHOUSE_URL (CLICKHOUSE_DATABASE, otel_2), and change nothing;
                      with AGENTOPS_LOCAL_PROJECTS=<project id>=<API key>,... (those of AgentOps' seed data)
  --sample            send sample runs, to have something to look at
  --json              let doctor print JSON
  --help              print this
  --version           print the version

  CLICKHOUSE_URL      keep traces on that ClickHouse server, not in the data folder; with CLICKHOUSE_USER (default),
                      CLICKHOUSE_PASSWORD, CLICKHOUSE_DATABASE (agentops), and CLICKHOUSE_CLUSTER for one of many
  AGENTOPS_LOCAL_JWT_SECRET
                      what servers that share a database sign tokens with
`;

const portRule = "--port (AGENTOPS_LOCAL_PORT) must be a port number, 0 to 65535.";
const forwardRule =
  '--forward (AGENTOPS_LOCAL_FORWARD) must be an http(s) URL without credentials or "cloud", --forward-exporter (AGENTOPS_LOCAL_FORWARD_EXPORTER) such a URL.';

/** Keys go there, so no credentials of another kind in it; a query would end up amid the paths. */
const forwardUrl = z
  .url(forwardRule)
  .regex(/^https?:\/\/[^@?#]+$/, forwardRule)
  .transform((url) => url.replace(/\/+$/, ""));

const MIN_SECRET_LENGTH = 32;

const retentionRule =
  "--retention (AGENTOPS_LOCAL_RETENTION) must be a number of hours, days or weeks from 1 on: 12h, 30d, 8w.";

const hoursPer = { h: 1, d: 24, w: 7 * 24 };
const unitSchema = z.enum(["h", "d", "w"]);

/** Of a number and a unit. */
function durationMs(text: string): number {
  return Number.parseInt(text, 10) * hoursPer[unitSchema.parse(text.slice(-1))] * 3_600_000;
}

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
    .default("127.0.0.1"),
  dataDir: z.string().min(1, "--data-dir (AGENTOPS_LOCAL_DATA_DIR) must be a path."),
  forward: z.union([z.literal("cloud"), forwardUrl], forwardRule).optional(),
  forwardExporter: forwardUrl.optional(),
  retentionMs: z
    .string()
    .regex(/^[1-9]\d{0,4}[hdw]$/, retentionRule)
    .transform(durationMs)
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
  const { forward: api, forwardExporter: exporter, ...config } = parsed.data;
  const served = { ...config, ...(api && { forward: cloudUrls(api, exporter) }) };
  const command = commandOf(words, served, flags.json ?? false);
  if (flags["read-only"]) checkReadOnly(command);
  if (flags.json && command.kind !== "doctor") {
    throw new ConfigError("--json goes with doctor: agentops-local doctor --json");
  }
  return command;
}

function checkReadOnly(command: ConfiguredCommand): void {
  const { clickHouse, forward, retentionMs, sample } = command.config;
  if (!clickHouse) {
    throw new ConfigError("--read-only reads AgentOps' database: say where in CLICKHOUSE_URL.");
  }
  const isWrite = command.kind === "projects" && command.action.kind !== "list";
  if (isWrite || forward || retentionMs !== undefined || sample) {
    throw new ConfigError(
      "--read-only changes nothing: it goes without --forward, --retention, --sample and new projects or keys.",
    );
  }
}

function commandOf(words: readonly string[], config: Config, json: boolean): ConfiguredCommand {
  if (words.length === 0) return { kind: "serve", config };
  if (words.length === 1 && words[0] === "doctor") return { kind: "doctor", config, json };
  return { kind: "projects", action: parseAction(words), config };
}

type Setting = "port" | "host" | "data-dir" | "forward" | "forward-exporter" | "retention";

function variableOf(setting: Setting): string {
  return `AGENTOPS_LOCAL_${setting.toUpperCase().replaceAll("-", "_")}`;
}

function cloudUrls(api: string, exporter: string | undefined): CloudUrls {
  const urls = api === "cloud" ? agentopsCloud : { api, exporter: api };
  return exporter ? { ...urls, exporter } : urls;
}

const usage =
  "Valid: none at all, doctor, projects list, projects create <name>, projects rotate-key <id or name>.";

function parseAction([command, kind, argument, ...rest]: readonly string[]): ProjectsAction {
  if (command === "projects" && rest.length === 0) {
    if (kind === "list" && argument === undefined) return { kind };
    if (kind === "create" && argument?.trim()) return { kind, name: argument };
    if (kind === "rotate-key" && argument) return { kind, project: argument };
  }
  throw new ConfigError(`No such command: ${[command, kind].join(" ").trim()}. ${usage}`);
}

function parseWords(args: readonly string[]) {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true });
    return { flags: parsed.values, words: parsed.positionals };
  } catch (error) {
    const names = Object.keys(options).map((name) => `--${name}`);
    const reason = error instanceof Error ? error.message.split(". ")[0] : String(error);
    throw new ConfigError(`${reason}. Valid options: ${names.join(", ")}.`, { cause: error });
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
