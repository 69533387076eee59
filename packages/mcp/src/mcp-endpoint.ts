import type { McpServer } from "@modelcontextprotocol/server";
import type { AgentOps, Target } from "./api/agentops.js";
import { type ConfiguredAccess, type RequestedAccess, resolveTarget } from "./api/url-policy.js";
import { createHttpEndpoint, type HttpEndpoint, type HttpEndpointOptions } from "./http.js";
import { fault, type Log } from "./log.js";
import { createServer, type ToolOutcome } from "./server.js";
import type { ToolLimits } from "./tools/define-tool.js";

/** The caller's own AgentOps credential. Never `Authorization`, which guards this server itself. */
export const API_KEY_HEADER = "x-agentops-api-key";
export const API_URL_HEADER = "x-agentops-api-url";

export interface McpEndpointOptions extends HttpEndpointOptions {
  readonly version: string;
  readonly agentOps: AgentOps;
  /** The operator's access. A request that brings a key in a header has its own instead. */
  readonly configured: ConfiguredAccess;
  readonly limits: ToolLimits;
}

/** Every tool over Streamable HTTP, for callers who bring their own key and for those who need not. */
export function createMcpEndpoint(options: McpEndpointOptions): HttpEndpoint {
  return createHttpEndpoint(
    (headers, requestId) => serverFor(headers, requestId, options),
    options,
  );
}

function serverFor(
  headers: Headers,
  requestId: string | undefined,
  options: McpEndpointOptions,
): McpServer {
  const { agentOps, configured, limits, log, version } = options;
  const ownKey = headers.get(API_KEY_HEADER) || undefined;

  return createServer({
    version,
    limits,
    isKeyConfigured: (ownKey ?? configured.apiKey) !== undefined,
    apiUrl: headers.get(API_URL_HEADER) || configured.apiUrl,
    connect: ({ AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: apiUrl }, traceContext) =>
      agentOps.client({
        ...resolveHttpTarget({ apiKey, apiUrl }, headers, configured),
        traceContext,
      }),
    onToolCall: (outcome) => logToolCall(log, requestId, outcome),
  });
}

/**
 * A key in a header stands where `AGENTOPS_API_KEY` stands on stdio: the person who set up the client
 * chose it, and the URL in the header beside it. Without a key of its own a request moves nobody's
 * credentials: its URL header then weighs no more than the argument of a call.
 */
function resolveHttpTarget(
  call: RequestedAccess,
  headers: Headers,
  operator: ConfiguredAccess,
): Target {
  const apiKey = headers.get(API_KEY_HEADER) || undefined;
  const apiUrl = headers.get(API_URL_HEADER) || undefined;
  const { allowedApiUrls } = operator;

  if (apiKey !== undefined) {
    return resolveTarget(call, { apiKey, apiUrl: apiUrl ?? operator.apiUrl, allowedApiUrls });
  }
  const requested = { apiKey: call.apiKey, apiUrl: call.apiUrl ?? apiUrl };
  // The operator's dashboard session answers for the operator's key alone.
  return resolveTarget(
    requested,
    call.apiKey ? { ...operator, sessionCookie: undefined } : operator,
  );
}

function logToolCall(log: Log, requestId: string | undefined, outcome: ToolOutcome): void {
  const { tool, code, error } = outcome;
  const level = code === "internal_error" ? "error" : "info";
  log(level, {
    event: "tool_call",
    requestId,
    tool,
    code,
    ...(error !== undefined && fault(error)),
  });
}
