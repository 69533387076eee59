import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { StdioServerTransport, serveStdio as serveSdk } from "@modelcontextprotocol/server/stdio";
import { openAgentOps } from "./api/agentops.js";
import { readKnownTraceIds } from "./api/agentops-log.js";
import { resolveTarget } from "./api/url-policy.js";
import { accessOf, type ServeOptions } from "./config.js";
import { fault } from "./log.js";
import type { Opening, RequestId } from "./opening.js";
import { createServer } from "./server.js";

/** Goes on with the conversation on stdin and stdout, until the client leaves. */
export function serveStdio({ unread, initializeId }: Opening, options: ServeOptions): void {
  const { version, config, log } = options;
  const agentOps = openAgentOps({
    userAgent: `mcp-server-agentops-api/${version}`,
    knownTraceIds: () => readKnownTraceIds(config.AGENTOPS_LOG_FILE),
  });
  const configured = accessOf(config);
  const connection = serveSdk(
    () =>
      createServer({
        version,
        isKeyConfigured: configured.apiKey !== undefined,
        apiUrl: configured.apiUrl,
        limits: { maxRawTokens: config.AGENTOPS_MAX_RAW_TOKENS },
        connect: ({ AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: apiUrl }, traceContext) =>
          agentOps.client({ ...resolveTarget({ apiKey, apiUrl }, configured), traceContext }),
        onToolCall: ({ tool, error }) => {
          if (error !== undefined) log("error", { event: "tool_failed", tool, ...fault(error) });
        },
      }),
    {
      transport: new OpenedTransport(initializeId),
      onerror: (error) => log("warn", { event: "protocol_error", ...fault(error) }),
    },
  );
  process.stdin.unshift(unread);
  process.stdin.resume();

  const stop = () => {
    agentOps.close();
    void connection.close();
  };
  process.stdin.once("close", stop);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
}

/** Keeps back the answer that the client has had. */
class OpenedTransport extends StdioServerTransport {
  #answeredId: RequestId | undefined;

  constructor(answeredId: RequestId | undefined) {
    super();
    this.#answeredId = answeredId;
  }

  override async send(message: JSONRPCMessage): Promise<void> {
    if ("method" in message || message.id === undefined || message.id !== this.#answeredId) {
      return await super.send(message);
    }
    this.#answeredId = undefined;
  }
}
