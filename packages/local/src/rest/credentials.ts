import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { InvalidTokenError, type Tokens } from "../tokens.js";
import { RestError } from "./errors.js";
import type { RestOptions } from "./routes.js";

/** Whose traces a `/public/v1` request may read. There, a bad token is a 400 and a 401 never happens. */
export async function publicProjectId(context: Context, tokens: Tokens): Promise<string> {
  const header = context.req.header("authorization");
  if (!header?.startsWith("Bearer ")) {
    throw new RestError(400, { detail: "Missing or invalid Authorization header" });
  }
  return await verify(tokens, header.slice("Bearer ".length), () => {
    return new RestError(400, { detail: "Invalid Bearer token" });
  });
}

/**
 * Whose traces a `/v4` request may read: those of the Bearer token, or of the same token in the cookie
 * that AgentOps' dashboard keeps its session in.
 */
export async function dashboardProjectId(context: Context, tokens: Tokens): Promise<string> {
  const bearer = bearerToken(context);
  const token = bearer ?? getCookie(context, "session_id");
  if (!token) throw new RestError(401, { detail: "User is not authenticated." });
  return await verify(tokens, token, bearer ? badToken : badSession);
}

/** Worded unlike {@link badSession}: a client gets a new token for the one, and a person for the other. */
function badToken({ isExpired }: InvalidTokenError): RestError {
  return new RestError(401, { detail: isExpired ? "Token has expired" : "Invalid token" });
}

function badSession({ isExpired }: InvalidTokenError): RestError {
  const detail = isExpired
    ? "User's session has expired."
    : "Could not decode internal session JWT.";
  return new RestError(401, { detail });
}

/** True for the user who runs this server; a project's token is not enough. */
export async function isAdmin(context: Context, tokens: Tokens): Promise<boolean> {
  const token = bearerToken(context);
  return token !== undefined && (await tokens.isAdmin(token));
}

function bearerToken(context: Context): string | undefined {
  return /^bearer\s+(.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

/**
 * Whose upload it is. An SDK may print before it has its token, so, as with spans, what comes without
 * one is not refused where everybody is this machine's user.
 */
export async function uploadProjectId(
  context: Context,
  { tokens, anonymousProjectId }: Pick<RestOptions, "tokens" | "anonymousProjectId">,
): Promise<string> {
  const header = context.req.header("authorization")?.trim();
  if (!header && anonymousProjectId) return anonymousProjectId;
  if (!header) throw new RestError(401, { detail: "Authorization header missing" });
  const [scheme = "", token, ...rest] = header.split(/\s+/);
  if (!token || rest.length > 0) throw new RestError(401, { detail: "Invalid token format" });
  if (scheme.toLowerCase() !== "bearer") {
    throw new RestError(401, { detail: "Invalid authentication scheme" });
  }
  return await verify(tokens, token, badToken);
}

async function verify(
  tokens: Tokens,
  token: string,
  refusal: (error: InvalidTokenError) => RestError,
): Promise<string> {
  try {
    return (await tokens.verify(token)).projectId;
  } catch (error) {
    throw error instanceof InvalidTokenError ? refusal(error) : error;
  }
}
