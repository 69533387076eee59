import type { Call } from "./call.js";
import type { RawAnswer } from "./client.js";
import type { HttpResponse } from "./connections.js";
import type { Deployment } from "./deployments.js";
import type { Credential, Session } from "./token-exchange.js";
import type { Tokens } from "./tokens.js";
import type { Transport } from "./transport.js";
import { failure, judge, noApi, type Verdict } from "./verdict.js";

/** A route, and where on it this read is: `GET /v4/traces/{trace_id}` and `/v4/traces/148d…`. */
export interface Read {
  readonly route: string;
  readonly path: string;
}

/** Authenticated reads of one deployment on behalf of one call. */
export interface Reader {
  projectId(): Promise<string | undefined>;
  /**
   * The answer of the first route that has one; undefined where the deployment offers none of them.
   * Routes that it lacks are not asked again, once one of them has shown that AgentOps is there: a
   * proxy that answers 404 to everything teaches nothing.
   */
  firstAnswer(reads: readonly Read[]): Promise<RawAnswer | undefined>;
}

export interface ReaderOptions {
  readonly transport: Transport;
  readonly tokens: Tokens;
  readonly credential: Credential;
  readonly sessionCookie: string | undefined;
  readonly deployment: Deployment;
}

export function createReader(options: ReaderOptions, call: Call): Reader {
  const { transport, tokens, credential, sessionCookie, deployment } = options;
  const cookie = sessionCookie === undefined ? {} : { cookie: `session_id=${sessionCookie}` };

  function send(path: string, { token }: Session): Promise<HttpResponse> {
    const headers = { accept: "application/json", authorization: `Bearer ${token}`, ...cookie };
    const url = new URL(credential.baseUrl + path);
    return transport.request({ method: "GET", url, headers }, call);
  }

  function verdictOn(response: HttpResponse): Verdict {
    return judge(response, sessionCookie !== undefined);
  }

  async function get(path: string): Promise<HttpResponse> {
    const session = await tokens.session(credential, call);
    const response = await send(path, session);
    if (verdictOn(response) !== "stale_token") return response;

    tokens.discard(credential, session);
    return send(path, await tokens.session(credential, call));
  }

  /** Remembers the routes that are not for us. One that exists may yet answer for another trace. */
  function learn(skipped: readonly Skipped[]): void {
    for (const { route, verdict } of skipped) {
      if (!isRefusal(verdict)) deployment.missingRoutes.add(route);
    }
  }

  function isOffered({ route }: Read): boolean {
    return !deployment.missingRoutes.has(route);
  }

  return {
    async projectId() {
      const { projectId } = await tokens.session(credential, call);
      return projectId;
    },

    async firstAnswer(reads) {
      const skipped: Skipped[] = [];
      for (const { route, path } of reads.filter(isOffered)) {
        const response = await get(path);
        const verdict = verdictOn(response);
        if (!isSkipped(verdict)) {
          learn(skipped);
          if (verdict !== "ok") throw failure(response);
          return { body: requireJson(response.body), source: route };
        }
        skipped.push({ route, verdict, response });
      }

      if (skipped.some(({ verdict }) => verdict === "no_session")) learn(skipped);
      const refused = skipped.find(({ verdict }) => isRefusal(verdict));
      if (refused) throw failure(refused.response);
      return undefined;
    },
  };
}

/** Tells JSON from a proxy's page, no body or half of one, without parsing what is passed on raw. */
function requireJson(body: string): string {
  if (/^\s*[[{]/.test(body) && /[\]}]\s*$/.test(body.slice(-TAIL_CHARS))) return body;
  throw noApi();
}

/** As much of a body's end as may be white space. */
const TAIL_CHARS = 100;

/** A read that another route may make up for. */
interface Skipped {
  readonly route: string;
  readonly verdict: Verdict;
  readonly response: HttpResponse;
}

function isSkipped(verdict: Verdict): boolean {
  return verdict === "no_route" || verdict === "no_session" || isRefusal(verdict);
}

/** The route is there, and says more about the failure than its absence would. */
function isRefusal(verdict: Verdict): boolean {
  return verdict === "no_access" || verdict === "unfit";
}
