import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { HttpEndpoint } from "./http.js";
import type { Log } from "./log.js";

/** What bounds the server. Times are milliseconds. */
export interface HttpLimits {
  /** Requests answered at once; one more is told to come back. Each may hold a whole trace. */
  readonly maxRequestsInFlight: number;
  /** Connections, busy or idle. */
  readonly maxConnections: number;
  /** How long a client may take to send its headers, and its whole request: not how long a call takes. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How long calls under way may go on once the server was told to stop. */
  readonly shutdownGraceMs: number;
}

export const HTTP_LIMITS: HttpLimits = {
  maxRequestsInFlight: 128,
  maxConnections: 1_024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  // Kubernetes and Docker Swarm kill what has not stopped after 30 s, Docker after 10 s.
  shutdownGraceMs: 25_000,
};

/** For the last answers to go out. A call that waits for a trace looks every 2 s whether it may go on. */
const LAST_ANSWERS_MS = 2_500;

export interface ListenOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly log: Log;
  /** Milliseconds, from any origin. */
  readonly now: () => number;
  readonly limits?: Partial<HttpLimits>;
  /** Makes every call under way end with an error, which its caller still hears. */
  endCalls(): void;
}

export interface HttpServer {
  readonly url: string;
  /** Refuses new work, waits for calls under way for a while, then ends them with an error. */
  close(): Promise<void>;
}

/** What HTTP/1 and HTTP/2 responses have in common. */
interface Outgoing {
  readonly statusCode: number;
  setHeader(name: string, value: string): unknown;
  once(event: "close", listener: () => void): unknown;
}

/** Serves the endpoint at `/mcp`, with `/health` (it runs) and `/ready` (it takes work) beside it. */
export async function listen(endpoint: HttpEndpoint, options: ListenOptions): Promise<HttpServer> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const routes = createRoutes(endpoint, { ...options, limits });
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      // Node looks for late clients only this often: every 30 s by default.
      connectionsCheckingInterval: limits.headersTimeoutMs / 2,
    },
    getRequestListener((request, { outgoing }) => routes.answer(request, outgoing), {
      overrideGlobalObjects: false,
    }),
  );
  server.maxConnections = limits.maxConnections;
  await startListening(server, options);

  return {
    url: urlOf(server.address()),
    async close() {
      const closed = once(server, "close");
      const { shutdownGraceMs } = limits;
      const graceOver = setTimeout(options.endCalls, shutdownGraceMs);
      const lastCall = setTimeout(
        () => server.closeAllConnections(),
        shutdownGraceMs + LAST_ANSWERS_MS,
      );
      routes.stop(() => server.closeIdleConnections());
      server.close();
      await closed;
      clearTimeout(graceOver);
      clearTimeout(lastCall);
    },
  };
}

async function startListening(
  server: Server,
  { host, port }: Pick<ListenOptions, "host" | "port">,
): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE")) throw cause;
    const message = `Port ${port} of ${host} is in use. Choose another with --port, or --port 0 for any free one.`;
    throw new Error(message, { cause });
  }
}

type RouteOptions = Pick<ListenOptions, "log" | "now"> & { readonly limits: HttpLimits };

function createRoutes(endpoint: HttpEndpoint, { limits, log, now }: RouteOptions) {
  let requestsInFlight = 0;
  let onIdle: (() => void) | undefined;

  function serve(request: Request, outgoing: Outgoing): Promise<Response> {
    const requestId = randomUUID();
    const startedAtMs = now();
    requestsInFlight += 1;
    outgoing.setHeader("x-request-id", requestId);
    // Streamed answers go on after `fetch` has returned: the request ends with its last byte.
    outgoing.once("close", () => {
      requestsInFlight -= 1;
      const durationMs = Math.round(now() - startedAtMs);
      log("info", { event: "request", requestId, status: outgoing.statusCode, durationMs });
      // Node counts the connection as idle only after this event.
      if (onIdle) setImmediate(onIdle);
    });
    return endpoint.fetch(request, requestId);
  }

  return {
    answer(request: Request, outgoing: Outgoing): Promise<Response> | Response {
      const { pathname } = new URL(request.url);
      if (pathname === "/health") return Response.json({ status: "ok" });
      if (pathname !== "/ready" && pathname !== "/mcp") return notHere();
      if (onIdle) return tryLater("stopping");
      if (pathname === "/ready") return Response.json({ status: "ready" });
      return requestsInFlight < limits.maxRequestsInFlight
        ? serve(request, outgoing)
        : tryLater("busy");
    },

    /** Takes no more work, and tells whenever a request under way has ended. */
    stop(whenIdle: () => void) {
      onIdle = whenIdle;
    },
  };
}

function notHere(): Response {
  return Response.json({ error: "MCP is at /mcp." }, { status: 404 });
}

function tryLater(status: "busy" | "stopping"): Response {
  return Response.json({ status }, { status: 503, headers: { "retry-after": "1" } });
}

function urlOf(address: ReturnType<Server["address"]>): string {
  // A string would be a pipe, null a server that does not listen: neither follows `listening` on a port.
  if (address === null || typeof address === "string") throw new Error("The server has no port");
  const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
