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
  const token = dashboardToken(context);
  if (!token) throw new RestError(401, { detail: "User is not authenticated." });
  const { projectId } = await verify(tokens, token, ({ isExpired }) => {
    const detail = isExpired
      ? "User's session has expired."
      : "Could not decode internal session JWT.";
    return new RestError(401, { detail });
  });
  return projectId;
}

/** True for the user who runs this server; a project's token is not enough. */
export async function isAdmin(context: Context, tokens: Tokens): Promise<boolean> {
  const token = dashboardToken(context);
  return token !== undefined && (await tokens.isAdmin(token));
}

function dashboardToken(context: Context): string | undefined {
  const bearer = /^bearer\s+(.+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  return bearer ?? getCookie(context, "session_id");
}

/**
 * Who uploads. An SDK may print before it has its token, so, as with spans, what comes without
 * one is not refused where everybody is this machine's user.
 */
export async function uploader(
  context: Context,
  { tokens, anonymousProjectId }: Pick<RestOptions, "tokens" | "anonymousProjectId">,
): Promise<TokenClaims> {
  const header = context.req.header("authorization")?.trim();
  if (!header && anonymousProjectId) return { projectId: anonymousProjectId };
  if (!header) throw new RestError(401, { detail: "Authorization header missing" });
  const [scheme = "", token, ...rest] = header.split(/\s+/);
  if (!token || rest.length > 0) throw new RestError(401, { detail: "Invalid token format" });
  if (scheme.toLowerCase() !== "bearer") {
    throw new RestError(401, { detail: "Invalid authentication scheme" });
  }
  return await verify(tokens, token, ({ isExpired }) => {
    return new RestError(401, { detail: isExpired ? "Token has expired" : "Invalid token" });
  });
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
