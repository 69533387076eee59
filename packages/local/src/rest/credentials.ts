import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { InvalidTokenError, type TokenClaims, type Tokens } from "../tokens.js";
import { RestError } from "./errors.js";
import type { RestOptions } from "./routes.js";

/** Whose traces a `/public/v1` request may read. There, a bad token is a 400 and a 401 never happens. */
export async function publicProjectId(context: Context, tokens: Tokens): Promise<string> {
  const header = context.req.header("authorization");
  if (!header?.startsWith("Bearer ")) {
    throw new RestError(400, { detail: "Missing or invalid Authorization header" });
  }
  const { projectId } = await verify(tokens, header.slice("Bearer ".length), () => {
    return new RestError(400, { detail: "Invalid Bearer token" });
  });
  return projectId;
}

/**
 * Whose traces a `/v4` request may read: those of the Bearer token, or of the same token in the cookie
 * that AgentOps' dashboard keeps its session in.
 */
export async function dashboardProjectId(context: Context, tokens: Tokens): Promise<string> {
  const bearer = bearerOf(context);
  const token = bearer ?? getCookie(context, "session_id");
  if (!token) throw new RestError(401, { detail: "User is not authenticated." });
  const { projectId } = await verify(tokens, token, bearer ? badToken : badSession);
  return projectId;
}

/** True for the user who runs this server; a project's token is not enough. */
export async function isAdmin(context: Context, tokens: Tokens): Promise<boolean> {
  const token = bearerOf(context);
  return token !== undefined && (await tokens.isAdmin(token));
}

function bearerOf(context: Context): string | undefined {
  return /^bearer\s+(.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
}

/**
 * Who uploads. An SDK may print before it has its token, or have one from elsewhere: as with spans,
 * neither is refused where everybody is this machine's user.
 */
export async function uploader(
  context: Context,
  { tokens, anonymousProjectId }: Pick<RestOptions, "tokens" | "anonymousProjectId">,
): Promise<TokenClaims> {
  try {
    return await verify(tokens, uploadToken(context), badToken);
  } catch (error) {
    if (anonymousProjectId && error instanceof RestError) return { projectId: anonymousProjectId };
    throw error;
  }
}

function uploadToken(context: Context): string {
  const header = context.req.header("authorization")?.trim();
  if (!header) throw new RestError(401, { detail: "Authorization header missing" });
  const [scheme = "", token, ...rest] = header.split(/\s+/);
  if (!token || rest.length > 0) throw new RestError(401, { detail: "Invalid token format" });
  if (scheme.toLowerCase() === "bearer") return token;
  throw new RestError(401, { detail: "Invalid authentication scheme" });
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

async function verify(
  tokens: Tokens,
  token: string,
  refusal: (error: InvalidTokenError) => RestError,
): Promise<TokenClaims> {
  try {
    return await tokens.verify(token);
  } catch (error) {
    throw error instanceof InvalidTokenError ? refusal(error) : error;
  }
}
