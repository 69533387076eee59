import type { Hono } from "hono";
import { addRoute } from "./routes.js";
import { hexTraceId } from "./trace-id.js";

/**
 * Where the link leads that AgentOps' SDKs print for each run, once they are told that the dashboard is
 * here: there is none, so it says how to read the trace.
 */
export function addReplayLink(app: Hono): void {
  addRoute(app, "GET", "/sessions", async ({ req }) => {
    const { origin, searchParams } = new URL(req.url);
    const traceId = searchParams.get("trace_id")?.toLowerCase() ?? "";
    if (!hexTraceId.test(traceId)) {
      return new Response("trace_id must be the 32 hex digits of a trace's id.\n", { status: 400 });
    }
    return new Response(howToRead(origin, traceId));
  });
}

const howToRead = (origin: string, traceId: string) => `Trace ${traceId}

Ask your assistant, which reaches it over MCP at ${origin}/mcp:

  What did AgentOps trace ${traceId} do?

Or read it as JSON, with a token of the project's API key:

  curl ${origin}/v3/auth/token -H "Content-Type: application/json" -d '{"api_key":"…"}'
  curl ${origin}/v4/traces/${traceId} -H "Authorization: Bearer …"
`;
