import type { AgentOpsOptions, McpEndpointOptions } from "mcp-server-agentops-api";

export interface McpRouteOptions {
  readonly version: string;
  /** The routes that the tools read from. */
  readonly answer: NonNullable<AgentOpsOptions["answer"]>;
  /** Names, without ports, that `Host` and `Origin` may hold; undefined for any that is the same in both. */
  readonly allowedHostnames: readonly string[] | undefined;
  /** The key of requests that bring none; undefined where each must bring its own. */
  readonly defaultKey: (() => Promise<string | undefined>) | undefined;
  readonly onError: (error: unknown) => void;
}

/** MCP over Streamable HTTP, on the routes of this very process. */
export interface McpRoute {
  fetch(request: Request): Promise<Response>;
  /** Ends the calls under way with an error, which their callers still hear. */
  endCalls(): Promise<void>;
}

/** The MCP server is loaded by the first request: it takes as long as everything else at the start. */
export function createMcpRoute({ defaultKey, ...options }: McpRouteOptions): McpRoute {
  let opening: ReturnType<typeof openEndpoint> | undefined;

  return {
    async fetch(request) {
      opening ??= openEndpoint(new URL(request.url).origin, options);
      const { endpoint, keyHeader } = await opening;
      const isAnonymous = !request.headers.has(keyHeader) && !hasBearer(request);
      // Asked each time, because a key can be rotated while the server runs.
      const key = isAnonymous ? await defaultKey?.() : undefined;
      if (key !== undefined) request.headers.set(keyHeader, key);
      return await endpoint.fetch(request);
    },

    async endCalls() {
      const opened = await opening;
      opened?.agentOps.close();
    },
  };
}

/** Who sends a project's key there, as the REST API takes tokens, must not be shown another project. */
function hasBearer({ headers }: Request): boolean {
  return /^bearer\b/i.test(headers.get("authorization") ?? "");
}

async function openEndpoint(
  apiUrl: string,
  { version, answer, allowedHostnames, onError }: Omit<McpRouteOptions, "defaultKey">,
) {
  const { API_KEY_HEADER, createMcpEndpoint, DEFAULT_MAX_RAW_TOKENS, openAgentOps } = await import(
    "mcp-server-agentops-api"
  );
  const agentOps = openAgentOps({ userAgent: `agentops-local/${version}`, answer });
  const endpoint = createMcpEndpoint({
    version,
    agentOps,
    configured: { apiUrl, allowedApiUrls: [] },
    limits: { maxRawTokens: DEFAULT_MAX_RAW_TOKENS },
    allowedHostnames,
    log: (level, fields) => {
      if (level === "error") onError(loggedError(fields));
    },
  });
  return { agentOps, endpoint, keyHeader: API_KEY_HEADER };
}

/** The log has an error's name and stack, and not its message: that may quote a trace. */
function loggedError({ error, stack }: Parameters<McpEndpointOptions["log"]>[1]): Error {
  const frames = Array.isArray(stack) ? stack.map((line) => `    ${line}`) : [];
  return Object.assign(new Error(), { name: String(error), stack: frames.join("\n") });
}
