import { counted } from "./progress.js";
import type { Project } from "./store/index.js";

interface BannerOptions {
  readonly version: string;
  readonly url: string;
  /** Where they are kept. */
  readonly traces: string;
  readonly project: Project;
  /** Where what arrives is passed on to. */
  readonly forwardsTo: string | undefined;
  /** How long; undefined for all of them. */
  readonly retentionMs: number | undefined;
  /** Without a key, nothing is read. */
  readonly needsKey: boolean;
  /** Other machines can reach it. */
  readonly isExposed: boolean;
}

/** What a person needs next: where it runs, and what to paste to use it. */
export function banner({
  version,
  url,
  traces,
  project,
  forwardsTo,
  retentionMs,
  needsKey,
  isExposed,
}: BannerOptions): string {
  const more = [
    forwardsTo !== undefined && `\n  forwards to   ${forwardsTo}`,
    retentionMs !== undefined && `\n  removes       what is older than ${age(retentionMs)}`,
  ].filter((line) => line !== false);
  const key = forwardsTo === undefined ? project.apiKey : CLOUD_KEY;
  return `
agentops-local ${version}
  API and OTLP  ${url}
  MCP           ${url}/mcp
  traces        ${traces}${more.join("")}

AgentOps SDK:
  export AGENTOPS_API_KEY=${key}
  export AGENTOPS_API_ENDPOINT=${url}
  export AGENTOPS_EXPORTER_ENDPOINT=${url}/v1/traces
  export AGENTOPS_APP_URL=${url}

OpenTelemetry SDK:
  export OTEL_EXPORTER_OTLP_ENDPOINT=${url}
  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf${forwardsTo ? otelHeaders : ""}

MCP client:
${JSON.stringify(mcpConfig(url, needsKey || forwardsTo ? key : undefined), undefined, 2)}
${isExposed ? exposed : ""}`;
}

/** Without a token its spans stay here. */
const otelHeaders = `
  export OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20YOUR_TOKEN"  # of POST /v3/auth/token`;

const MINUTE_MS = 60_000;
const units = [
  ["day", 24 * 60],
  ["hour", 60],
] as const;

/** In the largest unit that it is whole in. */
function age(ms: number): string {
  const minutes = ms / MINUTE_MS;
  const [unit, size] = units.find(([, size]) => minutes % size === 0) ?? ["minute", 1];
  return counted(minutes / size, unit);
}

const exposed = `
This server can be reached from other machines, and the key of the default project is the same on every installation
until you change it: agentops-local projects rotate-key default
`;

/** To be filled in: what is sent under a key of this server's own is not forwarded. */
const CLOUD_KEY = "YOUR_AGENTOPS_API_KEY";

/** Where the default project is meant and needs no key, there is none. */
function mcpConfig(url: string, key: string | undefined) {
  const headers = key && { "X-Agentops-Api-Key": key };
  return { mcpServers: { agentops: { type: "http", url: `${url}/mcp`, headers } } };
}
