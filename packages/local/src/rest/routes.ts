import type { Context, Hono } from "hono";
import type { Admission } from "../admission.js";
import type { Forwarder } from "../forward/forwarder.js";
import type { Store } from "../store/index.js";
import type { Tokens } from "../tokens.js";
import { RestError } from "./errors.js";

/** What the routes are built on. */
export interface RestOptions {
  readonly store: Store;
  readonly tokens: Tokens;
  readonly version: string;
  /** Whose what is sent without a token is; undefined where a token is needed. */
  readonly anonymousProjectId: string | undefined;
  /** Told in words of what its user would see nowhere else. */
  readonly onWarning: (message: string) => void;
  /** Undefined where nothing is passed on. */
  readonly forwarder: Forwarder | undefined;
  /** Of all that the process takes in. */
  readonly admission: Admission;
}

type Answer = (context: Context) => Promise<unknown>;

type Method = "GET" | "POST";

/** Registers a route that answers JSON, or a response of its own. */
export function addRoute(app: Hono, method: Method, path: string, answer: Answer): void {
  addRoutes(app, path, { [method]: answer });
}

/** Registers the routes of one path; like FastAPI, another verb on it is a 405 and not a 404. */
export function addRoutes(app: Hono, path: string, answers: Partial<Record<Method, Answer>>): void {
  for (const [method, answer] of Object.entries(answers)) {
    app.on(method, path, async (context) => {
      // Hono would do all of a GET for a HEAD, and drop the answer.
      if (context.req.method === "HEAD") throw methodNotAllowed();
      const body = await answer(context);
      return body instanceof Response ? body : Response.json(body);
    });
  }
  app.all(path, () => {
    throw methodNotAllowed();
  });
}

const methodNotAllowed = () => new RestError(405, { detail: "Method Not Allowed" });
