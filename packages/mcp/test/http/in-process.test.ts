import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect, onTestFinished, test } from "vitest";
import { createMcpEndpoint, openAgentOps } from "../../src/index.js";
import { apiKey, tokenAnswer } from "../api/scripts.js";
import { connectionOf, ERAS } from "../mcp-client.js";

/** The routes of an AgentOps that lives in this process. */
function answer(request: Request): Response {
  const { pathname } = new URL(request.url);
  if (pathname === "/v3/auth/token") return Response.json(tokenAnswer.body);
  if (pathname === "/v4/traces") return new Response('{"traces":[],"total":0}');
  return Response.json({ detail: "Not Found" }, { status: 404 });
}

test.each(ERAS)(
  "an endpoint serves an AgentOps of its own process without a socket, %o",
  async (era) => {
    const agentOps = openAgentOps({ userAgent: "test", answer });
    onTestFinished(() => agentOps.close());
    const endpoint = createMcpEndpoint({
      version: "0.0.0",
      agentOps,
      configured: { apiUrl: "http://agentops.test", apiKey, allowedApiUrls: [] },
      limits: { maxRawTokens: 10_000 },
      allowedHostnames: ["mcp.test"],
      log: () => {},
    });
    const client = new Client(
      { name: "test", version: "1.0.0" },
      { versionNegotiation: { mode: era } },
    );
    await client.connect(
      new StreamableHTTPClientTransport(new URL("http://mcp.test/mcp"), {
        fetch: (url, init) => {
          const request = new Request(url, init);
          // What a socket's server would have read from the wire.
          request.headers.set("host", "mcp.test");
          return endpoint.fetch(request);
        },
      }),
    );
    const { call } = connectionOf(client);

    expect((await call("list_traces")).text).toBe('{"traces":[],"total":0}');
  },
);
