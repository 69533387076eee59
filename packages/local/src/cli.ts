#!/usr/bin/env node
import { homedir } from "node:os";
import { banner } from "./banner.js";
import { type Config, help, parseCommand } from "./config.js";
import { formatChecks } from "./doctor/check.js";
import { examine } from "./doctor/examine.js";
import { runExport } from "./export.js";
import { isLoopback } from "./host.js";
import { type ImportOptions, runImport } from "./import.js";
import { runProjects } from "./projects.js";
import { opensWithoutKey, startServer } from "./server.js";
import { ConfigError, StartError } from "./start-error.js";
import { placeOf } from "./store/index.js";
import { openTokens } from "./tokens.js";
import { version } from "./version.js";

/** Exit code of a mistake on the command line, as shells use it. */
const USAGE_ERROR = 2;

try {
  await main();
} catch (error) {
  console.error(`agentops-local: ${startFailure(error)}`);
  process.exit(error instanceof ConfigError ? USAGE_ERROR : 1);
}

async function main(): Promise<void> {
  const command = parseCommand(process.argv.slice(2), {
    env: process.env,
    platform: process.platform,
    homeDir: homedir(),
  });

  switch (command.kind) {
    case "help":
      process.stdout.write(help);
      return;
    case "version":
      process.stdout.write(`${version}\n`);
      return;
    case "projects":
      process.stdout.write(await runProjects(command.action, command.config));
      return;
    case "doctor":
      return await doctor(command.config, command.json);
    case "export":
      return await runExport(command.query, command.config, {
        output: process.stdout,
        terminal: process.stderr,
      });
    case "import":
      return await importFile(command.options, command.config);
    case "serve":
      await serve(command.config);
  }
}

/** Exits with 1 if something fails; a warning is no failure. */
async function doctor(config: Config, json: boolean): Promise<void> {
  const checks = await examine(config);
  process.stdout.write(json ? `${JSON.stringify(checks, undefined, 2)}\n` : formatChecks(checks));
  if (checks.some(({ state }) => state === "fail")) process.exitCode = 1;
}

/** Exits with 1 if something was refused. */
async function importFile(options: ImportOptions, config: Config): Promise<void> {
  const streams = { input: process.stdin, terminal: process.stderr };
  if (!(await runImport(options, config, streams))) process.exitCode = 1;
}

async function serve({ sample, ...config }: Config): Promise<void> {
  const server = await startServer({
    ...config,
    onError: (error) => console.error(trace(error)),
    onWarning: (message) => console.error(`agentops-local: ${message}`),
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, async () => {
      await server.close();
      process.exit(0);
    });
  }

  const { url } = server;
  console.error(
    banner({
      version,
      url,
      traces: placeOf(config),
      project: server.project,
      forwardsTo: config.forward?.api,
      retentionMs: config.retentionMs,
      needsKey: !opensWithoutKey(config),
      isExposed: !isLoopback(config.host),
    }),
  );
  if (sample) await addSample(url, await (await openTokens(config)).issue(server.project));
  console.error("Ready. Stop with Ctrl+C.");
}

/** Once for all starts. */
async function addSample(url: string, token: string): Promise<void> {
  const { findSampleRuns, sendSampleRuns } = await import("./sample/send.js");
  const found = await findSampleRuns({ url, token });
  const [title, traceIds] = found
    ? ["Sample runs, of an earlier start:", found]
    : ["Sample runs:", await sendSampleRuns({ url, token })];
  console.error(`${[title, ...traceIds].join("\n  ")}\n`);
}

/** Why the server did not start, for the person who started it. */
function startFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof StartError ? error.message : (error.stack ?? error.message);
}

/** Where a failure came from, without its message: the engine's quote values, which are trace content. */
function trace(error: unknown): string {
  if (!(error instanceof Error)) return "Unknown failure";
  const code = "code" in error ? ` ${error.code}` : "";
  const frames = (error.stack ?? "").split("\n").filter((line) => line.startsWith("    at "));
  return [`${error.name}${code}`, ...frames].join("\n");
}
