/** All that other packages may use, beside `semconv.ts`. */
export { type AgentOpsOptions, openAgentOps } from "./api/agentops.js";
export { DEFAULT_MAX_RAW_TOKENS } from "./config.js";
export { API_KEY_HEADER, createMcpEndpoint, type McpEndpointOptions } from "./mcp-endpoint.js";
