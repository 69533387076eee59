import { type FaultServer, routeNotFound } from "../api/fault-server.js";
import { scriptPublicGeneration } from "../api/scripts.js";
import { oneByteASecond } from "./faults.js";

/** Long enough that a test would run into its own timeout if anything waited for it. */
export const silent = { delayMs: 60_000 };
const SPANS = 20;

/** A moment of a call at which its client gives up. */
export interface Stage {
  readonly when: string;
  readonly tool: "list_traces" | "trace_detail";
  script(api: FaultServer): void;
  /** The call has come that far. */
  isReached(api: FaultServer): boolean;
}

export const stages: readonly Stage[] = [
  {
    when: "at once",
    tool: "list_traces",
    script: (api) => api.on("POST /v3/auth/token", silent),
    isReached: () => true,
  },
  {
    when: "during the token exchange",
    tool: "list_traces",
    script: (api) => api.on("POST /v3/auth/token", silent),
    isReached: (api) => api.inFlight === 1,
  },
  {
    when: "during the first read",
    tool: "list_traces",
    script: (api) => api.on("GET /v4/traces", silent),
    isReached: (api) => api.count("GET /v4/traces") === 1,
  },
  {
    when: "between two tries",
    tool: "list_traces",
    script: (api) => api.on("GET /v4/traces", { status: 429, headers: { "retry-after": "20" } }),
    isReached: (api) => api.count("GET /v4/traces") === 1 && api.inFlight === 0,
  },
  {
    when: `while ${SPANS} spans are read at once`,
    tool: "trace_detail",
    script(api) {
      scriptPublicGeneration(api, SPANS);
      api.on("GET /v4/traces/*", routeNotFound);
      api.on("GET /public/v1/spans/*", silent);
    },
    isReached: (api) => api.count("GET /public/v1/spans/*") === SPANS,
  },
  {
    when: "in the middle of a body",
    tool: "list_traces",
    script: (api) => api.on("GET /v4/traces", { stream: oneByteASecond }),
    isReached: (api) => api.count("GET /v4/traces") === 1,
  },
];
