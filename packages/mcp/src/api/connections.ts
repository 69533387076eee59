import * as http from "node:http";
import * as https from "node:https";
import { lookupPublic, requirePublicHost } from "./address-policy.js";
import { readBody } from "./body.js";
import { ApiError } from "./errors.js";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Takes no kept connection: where one has died unnoticed, all may have. */
  readonly onNewConnection?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface ConnectionOptions {
  readonly requestTimeoutMs: number;
  readonly maxResponseBytes: number;
  /** True for an origin whose address need not be a public one. */
  readonly mayBePrivate: (origin: string) => boolean;
}

export interface Connections {
  /**
   * Sends one request once. Rejects with an `ApiError`, or with Node's own error where the connection
   * failed; with the signal's reason when that aborts, which also closes the connection.
   */
  exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>;
  close(): void;
}

/** Shorter than the minutes after which routers forget an idle connection without telling anyone. */
const IDLE_CONNECTION_MS = 30_000;

/**
 * Kept-alive connections over `node:http`. The global `fetch` would cost twice the time per request
 * and hides the address that a name resolved to.
 */
export function createConnections(options: ConnectionOptions): Connections {
  const agentOptions = {
    keepAlive: true,
    scheduling: "lifo",
    timeout: IDLE_CONNECTION_MS,
  } as const;
  const httpAgent = new http.Agent(agentOptions);
  const httpsAgent = new https.Agent(agentOptions);

  function send({ method, url, headers, onNewConnection }: HttpRequest): http.ClientRequest {
    const checks = options.mayBePrivate(url.origin) ? {} : { lookup: lookupPublic };
    if (checks.lookup) requirePublicHost(url);
    const [{ request }, keptAgent] =
      url.protocol === "https:" ? [https, httpsAgent] : [http, httpAgent];
    return request(url, { method, headers, agent: !onNewConnection && keptAgent, ...checks });
  }

  return {
    exchange(request, signal) {
      return new Promise((resolve, reject) => {
        signal.throwIfAborted();
        const outgoing = send(request);
        const fail = (reason: unknown) => {
          // Settled before the connection breaks, so the reason given is ours and not "aborted".
          reject(reason);
          outgoing.destroy();
        };
        const stop = () => fail(signal.reason);
        const timer = setTimeout(() => fail(requestTimedOut()), options.requestTimeoutMs);

        signal.addEventListener("abort", stop, { once: true });
        outgoing.on("error", reject);
        outgoing.once("close", () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", stop);
        });
        outgoing.once("response", (incoming) => {
          readBody(incoming, options.maxResponseBytes).then((body) => {
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
          }, fail);
        });
        outgoing.end(request.body);
      });
    },

    close() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

function requestTimedOut(): ApiError {
  return new ApiError(
    "timeout",
    "AgentOps did not answer a request in time.",
    "Try again; if it keeps happening, ask for less at once.",
  );
}
