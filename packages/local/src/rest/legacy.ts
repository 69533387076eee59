import type { Hono } from "hono";
import { RestError } from "./errors.js";

/** The session API of SDKs before 0.4, which sent events and no spans. `/v1` is OTLP's prefix too. */
const gonePaths = [
  "/v1/sessions",
  "/v1/sessions/*",
  "/v1/events",
  "/v1/agents",
  "/v1/threads",
  "/v1/developer_errors",
  "/v2/*",
];

export function addLegacyRoutes(app: Hono): void {
  for (const path of gonePaths) {
    app.all(path, ({ req }) => {
      throw new RestError(410, {
        path: req.path,
        message:
          "AgentOps' session API of /v1 and /v2 is gone. Update the agentops SDK to 0.4 or later, which sends traces, and read those at /v4/traces.",
      });
    });
  }
}
