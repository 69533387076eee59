import { readFileSync } from "node:fs";
import { openAgentOps } from "./api/agentops.js";
import { accessOf, type ServeOptions } from "./config.js";
import { readHttpConfig } from "./http-config.js";
import { listen } from "./listen.js";
import { createMcpEndpoint } from "./mcp-endpoint.js";

/** Serves MCP over Streamable HTTP until a signal stops it. `flags` are those of the command line. */
export async function serveHttp(
  flags: Readonly<Record<string, unknown>>,
  { version, config, log }: ServeOptions,
): Promise<void> {
  const httpConfig = readHttpConfig(flags, config, (path) => readFileSync(path, "utf8"));
  const configured = accessOf(config);
  const { apiUrl, allowedApiUrls } = configured;
  const agentOps = openAgentOps({
    userAgent: `mcp-server-agentops-api/${version}`,
    publicAddressesOnly: { exceptBaseUrls: [apiUrl, ...allowedApiUrls] },
  });
  const endpoint = createMcpEndpoint({
    version,
    agentOps,
    configured,
    limits: { maxRawTokens: config.AGENTOPS_MAX_RAW_TOKENS },
    allowedHostnames: httpConfig.allowedHostnames,
    authToken: httpConfig.authToken,
    log,
  });
  const server = await listen(endpoint, {
    ...httpConfig,
    log,
    now: () => performance.now(),
    endCalls: () => agentOps.close(),
  });
  log("info", { event: "listening", url: `${server.url}/mcp`, version });

  const stop = () => void server.close().then(() => agentOps.close());
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
}
