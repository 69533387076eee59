import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isLegacyRequest,
  type McpServer,
  OAuthError,
  OAuthErrorCode,
  originValidationResponse,
  PARSE_ERROR,
  readRequestBody,
  requireBearerAuth,
  WebStandardStreamableHTTPServerTransport,
} from "@modelcontextprotocol/server";
import { fault, type Log } from "./log.js";
import { isRecord } from "./trace/json.js";

/** Longest request body: arguments are ids, filters and a few words. */
export const MAX_BODY_BYTES = 1024 * 1024;

export interface HttpEndpointOptions {
  /**
   * Names, without ports, that `Host` and `Origin` may hold; IPv6 addresses in brackets. Undefined for any
   * that is the same in both, which is enough where a request without a key of its own reads nothing.
   */
  readonly allowedHostnames: readonly string[] | undefined;
  /** Secret that every request must present as `Authorization: Bearer`. */
  readonly authToken?: string | undefined;
  readonly log: Log;
}

export interface HttpEndpoint {
  /** Answers one MCP request of either protocol era. `requestId` joins the log lines it causes. */
  fetch(request: Request, requestId?: string): Promise<Response>;
}

/** Makes the server that answers one request. */
export type ServerFactory = (headers: Headers, requestId: string | undefined) => McpServer;

/** MCP over Streamable HTTP, without sessions and without a socket: any request may go to any process. */
export function createHttpEndpoint(
  createServer: ServerFactory,
  { allowedHostnames, authToken, log }: HttpEndpointOptions,
): HttpEndpoint {
  const checkToken = authToken === undefined ? undefined : tokenCheck(authToken);
  const servers = new WeakMap<Request, McpServer>();

  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const server = requestInfo && servers.get(requestInfo);
      if (!server) throw new Error("MCP over HTTP without a POST request");
      return server;
    },
    { onerror: (error) => log("warn", { event: "protocol_error", ...fault(error) }) },
  );

  return {
    async fetch(request, requestId = randomUUID()) {
      const hostnames = [...(allowedHostnames ?? [new URL(request.url).hostname])];
      const refusal =
        hostHeaderValidationResponse(request, hostnames) ??
        originValidationResponse(request, hostnames) ??
        (await checkToken?.(request));
      if (refusal) return refusal;
      if (request.method !== "POST") return handler.fetch(request);

      const body = await readJson(request);
      if (body instanceof Response) return body;
      const server = createServer(request.headers, requestId);
      if (isAnsweredOnce(body, server) && (await isLegacyRequest(request, body))) {
        return await answerOnce(server, request, body);
      }
      servers.set(request, server);
      // With the body at hand the SDK neither clones nor copies the request.
      return handler.fetch(request, { parsedBody: body });
    },
  };
}

/** Whether the result is all that its sender hears: no progress, and nothing logged. */
function isAnsweredOnce(body: unknown, { server }: McpServer): boolean {
  if (!isRecord(body) || server.getCapabilities().logging) return false;
  const { _meta } = isRecord(body.params) ? body.params : {};
  return !isRecord(_meta) || _meta.progressToken === undefined;
}

/**
 * Answers a request of the era before 2026-07-28 with one JSON document. The SDK's handler opens a stream of
 * events for each, which costs a quarter of the calls a second.
 */
async function answerOnce(server: McpServer, request: Request, parsedBody: unknown) {
  const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
  await server.connect(transport);
  request.signal.addEventListener("abort", () => void server.close(), { once: true });
  return await transport.handleRequest(request, { parsedBody });
}

/** The parsed body, or the answer to a body that is too long, broken off or not JSON. */
async function readJson(request: Request): Promise<unknown> {
  try {
    const body = await readBody(request);
    if (body.tooLarge) return rpcError(413, -32000, `Request body over ${MAX_BODY_BYTES} bytes`);
    return JSON.parse(body.text);
  } catch {
    return rpcError(400, PARSE_ERROR, "Parse error: the request body is not valid JSON");
  }
}

/**
 * Node hands over no more of a body than its declared length. As a stream, which is how one without a
 * length is read, each leaves behind what only a second garbage collection frees: under load, gigabytes.
 */
async function readBody(request: Request): ReturnType<typeof readRequestBody> {
  const declaredBytes = request.headers.get("content-length");
  if (declaredBytes === null) return await readRequestBody(request, MAX_BODY_BYTES);
  if (Number(declaredBytes) > MAX_BODY_BYTES) return { tooLarge: true };
  const text = await request.text();
  return text.length > MAX_BODY_BYTES ? { tooLarge: true } : { tooLarge: false, text };
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
