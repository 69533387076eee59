import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { proxy } from "hono/proxy";

type Pass = (context: Context) => Promise<Response>;

/** The routes by which a deployment of one time is read, and what cannot be read by them. */
export interface Generation {
  readonly name: string;
  /** Registers the routes that it has. */
  readonly addRoutes: (front: Hono, pass: Pass) => void;
  readonly isSignedIn?: true;
  readonly listSource: string;
  readonly detailSource: string;
  /** `/public/v1` shows neither the events of a span nor, in place of a list, what a trace costs. */
  readonly isPublicOnly?: true;
  readonly hasLogs?: true;
  readonly hasSpanRoutes?: true;
}

const publicRoutes = [
  "/public/v1/traces/:traceId",
  "/public/v1/traces/:traceId/metrics",
  "/public/v1/spans/:spanId",
];
const dashboardRoutes = [
  "/v4/traces/list/:projectId",
  "/v4/traces/detail/:traceId",
  "/v4/logs/:traceId",
];

export const generations: readonly Generation[] = [
  {
    name: "agentops-local",
    addRoutes: (front, pass) => front.get("*", pass),
    listSource: "GET /v4/traces",
    detailSource: "GET /v4/traces/{trace_id}",
    hasLogs: true,
    hasSpanRoutes: true,
  },
  {
    name: "the first v4, which takes a bearer token",
    addRoutes: (front, pass) => front.on("GET", ["/v4/traces", "/v4/traces/:traceId"], pass),
    listSource: "GET /v4/traces",
    detailSource: "GET /v4/traces/{trace_id}",
  },
  {
    name: "the second v4, which takes the project as a parameter",
    addRoutes(front, pass) {
      front.get("/v4/traces", (context) =>
        context.req.query("project_id")
          ? pass(context)
          : Response.json({ detail: [{ loc: ["query", "project_id"] }] }, { status: 422 }),
      );
      front.get("/v4/traces/:traceId", pass);
    },
    listSource: "GET /v4/traces?project_id={project_id}",
    detailSource: "GET /v4/traces/{trace_id}",
  },
  {
    name: "today's v4 with a session cookie",
    addRoutes(front, pass) {
      front.on("GET", dashboardRoutes, (context) => {
        // The cookie is all that counts there.
        context.req.raw.headers.delete("authorization");
        return pass(context);
      });
      front.on("GET", publicRoutes, pass);
    },
    isSignedIn: true,
    listSource: "GET /v4/traces/list/{project_id}",
    detailSource: "GET /v4/traces/detail/{trace_id}",
    hasLogs: true,
  },
  {
    name: "today's v4 without one, and /public/v1",
    addRoutes(front, pass) {
      front.on("GET", dashboardRoutes, () =>
        Response.json({ detail: "User is not authenticated." }, { status: 401 }),
      );
      front.on("GET", publicRoutes, pass);
    },
    listSource: "agentops.log, GET /public/v1/traces/{trace_id}",
    detailSource: publicRoutes
      .map(
        (route) => `GET ${route.replace(":traceId", "{trace_id}").replace(":spanId", "{span_id}")}`,
      )
      .join(", "),
    isPublicOnly: true,
  },
];

export interface Front {
  readonly url: string;
  close(): void;
}

/** A real server on loopback that has the routes of one generation. */
export async function openFront({ addRoutes }: Generation, target: string): Promise<Front> {
  const pass: Pass = ({ req }) => {
    const { pathname, search } = new URL(req.url);
    return proxy(target + pathname + search, req);
  };
  const app = new Hono();
  app.post("/v3/auth/token", pass);
  addRoutes(app, pass);
  app.notFound(() => Response.json({ detail: "Not Found" }, { status: 404 }));

  const front = createServer(getRequestListener(app.fetch));
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    close() {
      front.closeAllConnections();
      front.close();
    },
  };
}
