import { createBoundedCache } from "./bounded-cache.js";
import { type Call, sleep } from "./call.js";
import { connectionError, isTransient } from "./connection-errors.js";
import {
  type ConnectionOptions,
  createConnections,
  type HttpRequest,
  type HttpResponse,
} from "./connections.js";
import { ApiError } from "./errors.js";
import { createGate, type Gate } from "./gate.js";
import { type Answerer, createInProcessConnections } from "./in-process.js";
import { backoffMs, isTransientStatus, MAX_TRIES, retryAfterMs } from "./retry.js";
import { parseUrl } from "./url-policy.js";

export interface TransportOptions extends ConnectionOptions {
  readonly userAgent: string;
  readonly maxInFlightPerOrigin: number;
  readonly now: () => number;
  readonly answer?: Answerer | undefined;
}

export interface Transport {
  /**
   * Sends a request until its answer is worth reading. Every request must be safe to repeat, which
   * all of ours are: the one that is not a GET, the token exchange, changes nothing on the server.
   */
  request(request: HttpRequest, call: Call): Promise<HttpResponse>;
  close(): void;
}

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Origins whose pace is remembered: an agent reads from one, an HTTP deployment from a few. */
const MAX_ORIGINS = 256;

export function createTransport(options: TransportOptions): Transport {
  const { now } = options;
  const gates = createBoundedCache<Gate>({ maxWeight: MAX_ORIGINS, ttlMs: Infinity, now });
  const connections = options.answer
    ? createInProcessConnections(options.answer)
    : createConnections(options);

  function gate(origin: string): Gate {
    const known = gates.get(origin);
    if (known) return known;

    const created = createGate(options.maxInFlightPerOrigin);
    gates.set(origin, created);
    return created;
  }

  async function exchange(request: HttpRequest, call: Call): Promise<HttpResponse> {
    const pass = await gate(request.url.origin).enter(call.signal);
    let isOverloaded = false;
    try {
      const response = await connections.exchange(request, call.signal);
      isOverloaded = response.status === 429;
      return response;
    } finally {
      pass.leave(isOverloaded ? "overloaded" : "served");
    }
  }

  async function follow(request: HttpRequest, call: Call): Promise<HttpResponse> {
    let hop = request;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      const response = await exchange(hop, call);
      const location = response.headers.location;
      if (!REDIRECTS.has(response.status) || location === undefined) return response;
      if (hop.method !== "GET") throw redirectedKey();
      hop = redirected(hop, location);
    }
    throw new ApiError("bad_response", "The server redirects in circles.", CHECK_URL);
  }

  async function attempt(request: HttpRequest, call: Call): Promise<HttpResponse | ApiError> {
    try {
      return await follow(request, call);
    } catch (error) {
      const failure = connectionError(error, request.url);
      if (isTransient(error)) return failure;
      throw failure;
    }
  }

  /** @throws ApiError where the server asks for a longer wait than the call has left */
  function askedWaitMs(outcome: HttpResponse | ApiError, call: Call): number {
    const waitMs = outcome instanceof ApiError ? 0 : retryAfterMs(outcome, now());
    if (now() + waitMs >= call.deadlineAtMs) throw askedToWait(waitMs);
    return waitMs;
  }

  return {
    async request(request, call) {
      const headers = {
        "accept-encoding": "gzip",
        "user-agent": options.userAgent,
        ...call.traceContext,
        ...request.headers,
      };
      let failedTries = 0;
      let onNewConnection = false;
      for (;;) {
        const outcome = await attempt({ ...request, headers, onNewConnection }, call);
        if (!(outcome instanceof ApiError) && !isTransientStatus(outcome.status)) return outcome;

        const waitMs = askedWaitMs(outcome, call);
        const pauseMs = waitMs + backoffMs(failedTries, Math.random());
        // A server that says when to come again has refused the moment, not the request.
        if (waitMs === 0) failedTries += 1;
        if (failedTries === MAX_TRIES) return answerOrThrow(outcome);
        onNewConnection = outcome instanceof ApiError;
        await sleep(pauseMs, call.signal);
      }
    },

    close() {
      gates.clear();
      connections.close();
    },
  };
}

function answerOrThrow(outcome: HttpResponse | ApiError): HttpResponse {
  if (outcome instanceof ApiError) throw outcome;
  return outcome;
}

/** The next hop of a redirect. Credentials stay with the origin that they were meant for. */
function redirected(request: HttpRequest, location: string): HttpRequest {
  const url = parseUrl(location, request.url.href);
  if (url.origin === request.url.origin) return { ...request, url };

  const { authorization, cookie, ...headers } = request.headers;
  return { ...request, url, headers };
}

const CHECK_URL = "Set AGENTOPS_API_URL to the address that the API itself answers at.";

function redirectedKey(): ApiError {
  return new ApiError(
    "bad_response",
    "The server redirects the token exchange, and an API key follows no redirect.",
    CHECK_URL,
  );
}

function askedToWait(waitMs: number): ApiError {
  const waitSeconds = Math.ceil(waitMs / 1000);
  return new ApiError(
    "rate_limited",
    `AgentOps asks to wait ${waitSeconds} s, which is longer than this call has left.`,
    `Try again in ${waitSeconds} s.`,
  );
}
