/** All that other packages may use. */
export { type AgentOps, type AgentOpsOptions, openAgentOps } from "./api/agentops.js";
export { PRODUCTION_API_URL } from "./api/url-policy.js";
export { DEFAULT_MAX_RAW_TOKENS } from "./config.js";
export type { HttpEndpoint } from "./http.js";
export { API_KEY_HEADER, createMcpEndpoint, type McpEndpointOptions } from "./mcp-endpoint.js";
