import { untilAborted } from "./call.js";
import type { Connections } from "./connections.js";

/** Answers a request where it is asked, as the routes of `agentops-local` do. */
export type Answerer = (request: Request) => Response | Promise<Response>;

/** Requests that never leave the process, to routes whose answers need no bound. */
export function createInProcessConnections(answer: Answerer): Connections {
  return {
    async exchange({ method, url, headers, body = null }, signal) {
      const identity = { ...headers, "accept-encoding": "identity" };
      const request = new Request(url, { method, headers: identity, body, signal });
      const response = await untilAborted(Promise.resolve(answer(request)), signal);
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.text(),
      };
    },
    close() {},
  };
}
