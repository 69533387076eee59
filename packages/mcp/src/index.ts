/** All that other packages may use. */
export { type AgentOps, type AgentOpsOptions, openAgentOps } from "./api/agentops.js";
export { PRODUCTION_API_URL } from "./api/url-policy.js";
export type { HttpEndpoint } from "./http.js";
export { createMcpEndpoint, type McpEndpointOptions } from "./mcp-endpoint.js";
