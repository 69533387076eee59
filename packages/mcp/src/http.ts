import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  OAuthError,
  OAuthErrorCode,
  originValidationResponse,
  PARSE_ERROR,
  readRequestBody,
  requireBearerAuth,
} from "@modelcontextprotocol/server";
import type { AgentOps } from "./api/agentops.js";
import { type ConfiguredAccess, type RequestedAccess, resolveTarget } from "./api/url-policy.js";
import { fault, type Log } from "./log.js";
import { createServer, type ToolOutcome } from "./server.js";
import type { ToolLimits } from "./tools/define-tool.js";

/** The caller's own AgentOps credential. Never `Authorization`, which guards this server itself. */
export const API_KEY_HEADER = "x-agentops-api-key";
export const API_URL_HEADER = "x-agentops-api-url";

/** Longest request body: arguments are ids, filters and a few words. */
export const MAX_BODY_BYTES = 1024 * 1024;

export interface McpEndpointOptions {
  readonly version: string;
  readonly agentOps: AgentOps;
  /** The operator's access. A request that brings a key in a header has its own instead. */
  readonly configured: ConfiguredAccess;
  readonly limits: ToolLimits;
  /** Names, without ports, that `Host` and `Origin` may hold; IPv6 addresses in brackets. */
  readonly allowedHostnames: readonly string[];
  /** Secret that every request must present as `Authorization: Bearer`. */
  readonly authToken?: string | undefined;
  readonly log: Log;
}

export interface McpEndpoint {
  /** Answers one MCP request of either protocol era. `requestId` joins the log lines it causes. */
  fetch(request: Request, requestId?: string): Promise<Response>;
  /** Breaks off whatever is still under way. */
  close(): Promise<void>;
}

/** MCP over Streamable HTTP, without sessions and without a socket: any request may go to any process. */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const hostnames = [...options.allowedHostnames];
  const checkToken = options.authToken === undefined ? undefined : tokenCheck(options.authToken);
  const requestIds = new WeakMap<Request, string>();

  const handler = createMcpHandler(
    ({ requestInfo }) => {
      // Streamable HTTP always has a request; the SDK's type also covers transports without one.
      if (!requestInfo) throw new Error("MCP over HTTP without an HTTP request");
      return serverFor(requestInfo.headers, requestIds.get(requestInfo), options);
    },
    { onerror: (error) => options.log("warn", { event: "protocol_error", ...fault(error) }) },
  );

  return {
    async fetch(request, requestId = randomUUID()) {
      const refusal =
        hostHeaderValidationResponse(request, hostnames) ??
        originValidationResponse(request, hostnames) ??
        (await checkToken?.(request));
      if (refusal) return refusal;
      if (request.method !== "POST") return handler.fetch(request);

      const body = await readJson(request);
      if (body instanceof Response) return body;
      requestIds.set(request, requestId);
      // With the body at hand the SDK neither clones nor copies the request.
      return handler.fetch(request, { parsedBody: body });
    },

    close: () => handler.close(),
  };
}

function serverFor(headers: Headers, requestId: string | undefined, options: McpEndpointOptions) {
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
function resolveHttpTarget(call: RequestedAccess, headers: Headers, operator: ConfiguredAccess) {
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

/** The parsed body, or the answer to a body that is too long, broken off or not JSON. */
async function readJson(request: Request): Promise<unknown> {
  try {
    const body = await readRequestBody(request, MAX_BODY_BYTES);
    if (body.tooLarge) return rpcError(413, -32000, `Request body over ${MAX_BODY_BYTES} bytes`);
    return JSON.parse(body.text);
  } catch {
    return rpcError(400, PARSE_ERROR, "Parse error: the request body is not valid JSON");
  }
}

function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status });
}

/** Answers 401 with a challenge unless the request presents the secret. */
function tokenCheck(authToken: string): (request: Request) => Promise<Response | undefined> {
  const expected = digest(authToken);
  const gate = requireBearerAuth({
    verifier: {
      async verifyAccessToken(token) {
        // Hashes have one length, so the comparison takes the same time for every guess.
        if (!timingSafeEqual(digest(token), expected)) {
          throw new OAuthError(OAuthErrorCode.InvalidToken, "The token is not valid here.");
        }
        return { token, clientId: "shared", scopes: [], expiresAt: Number.MAX_SAFE_INTEGER };
      },
    },
  });
  return async (request) => {
    const result = await gate(request);
    return result instanceof Response ? result : undefined;
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
