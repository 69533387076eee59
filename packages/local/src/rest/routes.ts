import type { Context, Hono } from "hono";
import type { Store } from "../store/index.js";
import type { Tokens } from "../tokens.js";
import { RestError } from "./errors.js";

/** What the routes are built on. */
export interface RestOptions {
  readonly store: Store;
  readonly tokens: Tokens;
  readonly version: string;
}

type Answer = (context: Context) => Promise<unknown>;

/** Registers a JSON route; like FastAPI, another verb on its path is a 405 and not a 404. */
export function addRoute(app: Hono, method: "GET" | "POST", path: string, answer: Answer): void {
  app.on(method, path, async (context) => Response.json(await answer(context)));
  app.all(path, () => {
    throw new RestError(405, { detail: "Method Not Allowed" });
  });
}
