import type { Hono } from "hono";
import { addRoute } from "./routes.js";
import { hexTraceId } from "./trace-id.js";

/**
 * What a browser may be led to. There is no dashboard here, so the link that AgentOps' SDKs print for each
 * run leads to how to read it.
 */
export function addPages(app: Hono): void {
  addRoute(app, "GET", "/", async ({ req }) => new Response(whatIsHere(new URL(req.url).origin)));

  addRoute(app, "GET", "/sessions", async ({ req }) => {
    const { origin, searchParams } = new URL(req.url);
    const traceId = searchParams.get("trace_id")?.toLowerCase() ?? "";
    if (!hexTraceId.test(traceId)) {
      return new Response("trace_id must be the 32 hex digits of a trace's id.\n", { status: 400 });
    }
    return new Response(howToRead(origin, traceId));
  });
}

const whatIsHere = (origin: string) => `agentops-local

  API and OTLP  ${origin}
  MCP           ${origin}/mcp
  state         ${origin}/health

There is no dashboard: ask your assistant, which reads your traces over MCP.
`;

const howToRead = (origin: string, traceId: string) => `Trace ${traceId}

Ask your assistant, which reaches it over MCP at ${origin}/mcp:

  What did AgentOps trace ${traceId} do?

Or read it as JSON, with a token of the project's API key:

  curl ${origin}/v3/auth/token -H "Content-Type: application/json" -d '{"api_key":"…"}'
  curl ${origin}/v4/traces/${traceId} -H "Authorization: Bearer …"
`;
