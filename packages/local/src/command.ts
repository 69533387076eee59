import type { Config } from "./config.js";
import { durationMs } from "./duration.js";
import type { ExportQuery } from "./export.js";
import type { ImportOptions } from "./import.js";
import type { ProjectsAction } from "./projects.js";
import { parseEndTime, parseTime } from "./rest/time.js";
import { hexTraceId } from "./rest/trace-id.js";
import { ConfigError } from "./start-error.js";

/** What the command line asks for. */
export type Command =
  | { readonly kind: "serve"; readonly config: Config }
  | { readonly kind: "projects"; readonly action: ProjectsAction; readonly config: Config }
  | { readonly kind: "doctor"; readonly config: Config; readonly json: boolean }
  | { readonly kind: "export"; readonly query: ExportQuery; readonly config: Config }
  | { readonly kind: "import"; readonly options: ImportOptions; readonly config: Config }
  | { readonly kind: "help" }
  | { readonly kind: "version" };

/** Options that only some commands have. */
export interface CommandFlags {
  readonly json?: boolean | undefined;
  readonly project?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly "trace-id"?: readonly string[] | undefined;
}

/** @throws {ConfigError} when there is no such command, it is called in another way, or one of the options is another's. */
export function commandOf(words: readonly string[], flags: CommandFlags, config: Config): Command {
  refuseForeign(words[0] ?? "", flags);
  const [name, argument, ...rest] = words;
  if (name === undefined) return { kind: "serve", config };
  if (name === "import" && argument !== undefined && rest.length === 0) {
    return { kind: name, options: { file: argument, project: flags.project }, config };
  }
  if (name === "projects") return { kind: name, action: projectsAction(words), config };
  if (argument === undefined) {
    if (name === "doctor") return { kind: name, config, json: flags.json ?? false };
    if (name === "export") return { kind: name, query: exportQuery(flags), config };
  }
  throw misused(words);
}

/**
 * A database that is only read takes nothing that would change it.
 *
 * @throws {ConfigError}
 */
export function checkReadOnly(command: Command): void {
  if (command.kind === "help" || command.kind === "version") return;
  const { clickHouse, forward, retentionMs, sample } = command.config;
  if (!clickHouse) {
    throw new ConfigError("--read-only reads AgentOps' database: say where in CLICKHOUSE_URL.");
  }
  const isWrite =
    command.kind === "import" || (command.kind === "projects" && command.action.kind !== "list");
  if (isWrite || forward || retentionMs !== undefined || sample) {
    throw new ConfigError(
      "--read-only changes nothing: it goes without --forward, --retention, --sample, import and new projects or keys.",
    );
  }
}

const commandsWith: Readonly<Record<keyof CommandFlags, readonly string[]>> = {
  json: ["doctor"],
  project: ["export", "import"],
  since: ["export"],
  until: ["export"],
  "trace-id": ["export"],
};

function refuseForeign(command: string, flags: CommandFlags): void {
  for (const [flag, commands] of Object.entries(commandsWith)) {
    if (!(flag in flags) || commands.includes(command)) continue;
    throw new ConfigError(`--${flag} goes with ${commands.join(" and ")}.`);
  }
}

/** How each command is called. */
const usages: ReadonlyMap<string, string> = new Map([
  ["doctor", "doctor"],
  ["export", "export"],
  ["import", "import <file>"],
  ["projects", "projects list, projects create <name>, projects rotate-key <id or name>"],
]);

function misused(words: readonly string[]): ConfigError {
  const [name = ""] = words;
  const usage = usages.get(name);
  if (usage !== undefined) return new ConfigError(`${name} is called as: ${usage}.`);
  return new ConfigError(
    `No such command: ${name}. Valid: none at all, ${[...usages.values()].join(", ")}.`,
  );
}

function projectsAction(words: readonly string[]): ProjectsAction {
  const [, kind, argument, ...rest] = words;
  if (rest.length === 0) {
    if (kind === "list" && argument === undefined) return { kind };
    if (kind === "create" && argument?.trim()) return { kind, name: argument };
    if (kind === "rotate-key" && argument) return { kind, project: argument };
  }
  throw misused(words);
}

function exportQuery(flags: CommandFlags): ExportQuery {
  const traceIds = (flags["trace-id"] ?? []).map((id) => id.toLowerCase());
  if (!traceIds.every((id) => hexTraceId.test(id))) {
    throw new ConfigError("--trace-id must be the 32 hex digits of a trace's id.");
  }
  const fromUnixNano = pastTime("--since", flags.since, parseTime);
  const untilUnixNano = pastTime("--until", flags.until, parseEndTime);
  if (fromUnixNano !== undefined && untilUnixNano !== undefined && fromUnixNano > untilUnixNano) {
    throw new ConfigError("--since is after --until: swap the two.");
  }
  return { project: flags.project, traceIds, fromUnixNano, untilUnixNano };
}

function pastTime(
  flag: string,
  text: string | undefined,
  parse: (text: string) => bigint | undefined,
): bigint | undefined {
  if (text === undefined) return undefined;
  const agoMs = durationMs(text.replace(/ ago$/, ""));
  const unixNano = agoMs === undefined ? parse(text) : BigInt(Date.now() - agoMs) * 1_000_000n;
  if (unixNano !== undefined) return unixNano > 0n ? unixNano : 0n;
  throw new ConfigError(
    `${flag} must be how long ago (90m, 12h, 30d, 8w) or a date or time: 2026-01-31, 2026-01-31T09:30.`,
  );
}
