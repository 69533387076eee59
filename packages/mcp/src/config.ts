import { type ConfiguredAccess, normaliseBaseUrl, PRODUCTION_API_URL } from "./api/url-policy.js";
import type { Log } from "./log.js";

/** Longest raw trace, in tokens, that `trace_detail` returns unasked. */
export const DEFAULT_MAX_RAW_TOKENS = 10_000;
const DEFAULT_LOG_FILE = "agentops.log";

/** Every environment variable the server reads. `docs/configuration.md` is made from this. */
export const settings = {
  AGENTOPS_API_KEY: "API key of the project to read. Without it every call must bring one.",
  AGENTOPS_API_URL: `AgentOps API to read from. Default: \`${PRODUCTION_API_URL}\`.`,
  AGENTOPS_ALLOWED_API_URLS:
    "Further API URLs, comma-separated, to which the configured key may be sent.",
  AGENTOPS_SESSION_COOKIE:
    "Value of the dashboard's `session_id` cookie, for deployments that list traces to signed-in users only.",
  AGENTOPS_LOG_FILE: `The SDK's log file, where trace ids are found when the API lists none. Default: \`${DEFAULT_LOG_FILE}\` in the working folder.`,
  AGENTOPS_MAX_RAW_TOKENS: `Longest raw trace, in tokens, that \`trace_detail\` returns unasked. Default: ${DEFAULT_MAX_RAW_TOKENS}.`,
};

export type Config = ReturnType<typeof readConfig>;

/** What a server needs to know, over whichever transport. */
export interface ServeOptions {
  readonly version: string;
  readonly config: Config;
  readonly log: Log;
}

/**
 * Reads the configuration. Throws an error that names the variable at fault and never its value. Without
 * zod, because it would take longer to load than the first answer may take.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  function read<Value>(name: keyof typeof settings, parse: (text?: string) => Value): Value {
    try {
      return parse(env[name]?.trim() || undefined);
    } catch (error) {
      if (error instanceof WrongSetting) throw new Error(`${name}: ${error.message}.`);
      throw error;
    }
  }

  return {
    AGENTOPS_API_KEY: read("AGENTOPS_API_KEY", (text) => text),
    AGENTOPS_API_URL: read("AGENTOPS_API_URL", (text = PRODUCTION_API_URL) => apiUrl(text)),
    AGENTOPS_ALLOWED_API_URLS: read("AGENTOPS_ALLOWED_API_URLS", (text = "") =>
      text
        .split(/[\s,]+/)
        .filter(Boolean)
        .map(apiUrl),
    ),
    AGENTOPS_SESSION_COOKIE: read("AGENTOPS_SESSION_COOKIE", (text) => text),
    AGENTOPS_LOG_FILE: read("AGENTOPS_LOG_FILE", (text = DEFAULT_LOG_FILE) => text),
    AGENTOPS_MAX_RAW_TOKENS: read("AGENTOPS_MAX_RAW_TOKENS", rawTokens),
  };
}

/** The credentials and places that the configuration names. */
export function accessOf(config: Config): ConfiguredAccess {
  return {
    apiUrl: config.AGENTOPS_API_URL,
    apiKey: config.AGENTOPS_API_KEY,
    sessionCookie: config.AGENTOPS_SESSION_COOKIE,
    allowedApiUrls: config.AGENTOPS_ALLOWED_API_URLS,
  };
}

class WrongSetting extends Error {}

function apiUrl(text: string): string {
  try {
    normaliseBaseUrl(text);
    return text;
  } catch {
    throw new WrongSetting("must be http or https, such as http://localhost:8000");
  }
}

function rawTokens(text = String(DEFAULT_MAX_RAW_TOKENS)): number {
  const tokens = Number(text);
  if (Number.isInteger(tokens) && tokens >= 1_000 && tokens <= 1_000_000) return tokens;
  throw new WrongSetting("must be a whole number from 1000 to 1000000");
}
