import { ApiError } from "./errors.js";
import { parseJson } from "./json.js";

/** A response as far as its meaning goes. */
interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * What an answer means. AgentOps says the same thing in different ways on different routes, and this
 * is the one place that knows them all.
 *
 * - `no_route`: this deployment does not have the route.
 * - `no_session`: the route is for signed-in dashboard users.
 * - `unfit`: the route wants other parameters, as it does in another generation of the API.
 * - `no_access`: the route exists, but the project is not visible to this credential.
 * - `stale_token`: the token is not, or no longer, accepted.
 * - `not_found`: the trace or span does not exist in this project.
 * - `no_log`: the trace exists, but nothing that it printed.
 */
export type Verdict =
  | "ok"
  | "no_route"
  | "no_session"
  | "unfit"
  | "no_access"
  | "stale_token"
  | "not_found"
  | "no_log"
  | "failed";

/**
 * `hasSession`: a dashboard session went with the request. Only then may a complaint about a session
 * be about that; otherwise it is about our token, whatever the server calls it.
 */
export function judge({ status, body }: Answer, hasSession = false): Verdict {
  if (status >= 200 && status < 300) return "ok";

  switch (status) {
    case 400:
      return complaint(body) === "invalid bearer token" ? "stale_token" : "failed";
    case 401:
      return wantsSession(complaint(body), hasSession) ? "no_session" : "stale_token";
    case 403:
      // What the route of logs says of a trace that it does not know.
      return complaint(body).includes("access to this trace") ? "not_found" : "no_access";
    case 404:
      return judgeNotFound(complaint(body));
    case 405:
      return "no_route";
    case 422:
      return "unfit";
    default:
      return "failed";
  }
}

function wantsSession(complaint: string, hasSession: boolean): boolean {
  if (complaint === "user is not authenticated") return true;
  return hasSession && complaint.includes("session");
}

/** Only a 404 that names what is missing was written by the route; others come from routers and proxies. */
function judgeNotFound(complaint: string): Verdict {
  if (complaint.startsWith("no logs")) return "no_log";
  if (/\b(trace|span)/.test(complaint)) return "not_found";
  return complaint.includes("project") ? "no_access" : "no_route";
}

/** The text of `{"detail": …}`, `{"error": …}` or `{"message": …}`, for matching and never for showing. */
function complaint(body: string): string {
  const { detail, error, message } = asRecord(parseJson(body));
  return JSON.stringify(detail ?? error ?? message ?? "")
    .toLowerCase()
    .replace(/^"|\.?"$/g, "");
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** The error for an answer that no other route can make up for. */
export function failure(answer: Answer): ApiError {
  switch (judge(answer)) {
    case "not_found":
      return notFound();
    case "no_log":
      return noLog();
    case "no_route":
      return noApi();
    case "no_access":
    case "no_session":
    case "stale_token":
      return new ApiError(
        "forbidden",
        "AgentOps accepts the API key but does not let it read this.",
        "Check that the key belongs to the project the trace is in.",
      );
    default:
      return statusError(answer.status);
  }
}

function statusError(status: number): ApiError {
  if (status === 429) {
    return new ApiError(
      "rate_limited",
      "AgentOps answers too many requests.",
      "Try again in a minute.",
    );
  }
  if (status === 413) {
    return new ApiError(
      "bad_request",
      "That is more than AgentOps can read at once (HTTP 413).",
      "Ask for less: a shorter time, fewer traces, or a longer text.",
    );
  }
  if (status >= 500) {
    return new ApiError(
      "server_error",
      `AgentOps failed to answer (HTTP ${status}).`,
      "Try again later, and look at another trace: AgentOps fails on some of its own data.",
    );
  }
  return new ApiError(
    "bad_request",
    `AgentOps did not accept the request (HTTP ${status}).`,
    "Check the ids and that AGENTOPS_API_URL is the address of an AgentOps API.",
  );
}

export function notFound(): ApiError {
  return new ApiError(
    "not_found",
    "No such trace or span in the project of this API key.",
    "Check the id with list_traces. A run that has just ended can take ten seconds to arrive: wait_for_trace waits for it.",
  );
}

function noLog(): ApiError {
  return new ApiError(
    "not_found",
    "This trace has no log.",
    "The SDK uploads what a process printed for its first trace only. Use search_spans to look inside spans.",
  );
}

export function noApi(): ApiError {
  return new ApiError(
    "bad_response",
    "No AgentOps API answers at this URL.",
    "Check AGENTOPS_API_URL: its host, its port, and any path in front of the API.",
  );
}
