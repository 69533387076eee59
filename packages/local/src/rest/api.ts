import { Hono } from "hono";
import { instanceId } from "../instance.js";
import type { Store } from "../store/index.js";
import { addAuthRoutes } from "./auth.js";
import { RestError } from "./errors.js";
import { addLegacyRoutes } from "./legacy.js";
import { addPages } from "./pages.js";
import { addProjectRoutes } from "./projects.js";
import { addPublicRoutes } from "./public.js";
import { createRefusedKeys } from "./refused-keys.js";
import { addRoute, type RestOptions } from "./routes.js";
import { addSpanRoutes, spanCapabilities } from "./span-routes.js";
import { addUploadRoutes } from "./uploads.js";
import { addV4Routes } from "./v4.js";

/** What this server can do beyond AgentOps' own API, for clients that ask `/health`. */
const capabilities: readonly string[] = spanCapabilities;

/** AgentOps' REST API over the store; `countAnonymousExports` are those without a valid token since the start. */
export function createRestApi(options: RestOptions, countAnonymousExports: () => number): Hono {
  const app = new Hono();
  const refusedKeys = createRefusedKeys(options);
  addRoute(app, "GET", "/health", async () => ({
    message: "Server Up",
    version: options.version,
    instance: instanceId,
    capabilities,
    database: await askDatabase(options.store),
    refused_keys: refusedKeys.count(),
    anonymous_exports: countAnonymousExports(),
    ...(options.forwarder && { forward: options.forwarder.status() }),
  }));
  addAuthRoutes(app, { ...options, refusedKeys });
  addPublicRoutes(app, options);
  addProjectRoutes(app, options);
  addLegacyRoutes(app);
  addPages(app);
  addUploadRoutes(app, options);
  addV4Routes(app, options);
  addSpanRoutes(app, options);
  return app;
}

/** A load balancer that asks sends its requests elsewhere meanwhile. */
async function askDatabase(store: Store): ReturnType<Store["database"]> {
  try {
    return await store.database();
  } catch {
    throw new RestError(503, { message: "The database does not answer.", instance: instanceId });
  }
}
