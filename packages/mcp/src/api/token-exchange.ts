import * as z from "zod";
import type { Call } from "./call.js";
import type { HttpResponse } from "./connections.js";
import { ApiError, badResponse } from "./errors.js";
import { parseJson } from "./json.js";
import type { Transport } from "./transport.js";
import { failure, judge, noApi } from "./verdict.js";

/** A key at a deployment. `id` is a hash of both, so that caches never hold the key itself. */
export interface Credential {
  readonly id: string;
  readonly baseUrl: string;
  readonly apiKey: string;
}

/** What a key was exchanged for. The token contains the key and is as secret as it. */
export interface Session {
  readonly token: string;
  readonly projectId: string | undefined;
}

/** Header values are visible ASCII: a token with a line break in it would be refused much later. */
const tokenText = z.string().regex(/^[\x21-\x7e]+$/);
const sdkAnswer = z.object({ token: tokenText, project_id: z.string().nullish() });
const publicAnswer = z.object({ bearer: tokenText });

/** `POST /v3/auth/token`, and where that is missing `POST /public/v1/auth/access_token`. */
export async function exchangeKey(
  transport: Transport,
  { baseUrl, apiKey }: Credential,
  call: Call,
): Promise<Session> {
  const post = (path: string): Promise<HttpResponse> =>
    transport.request(
      {
        method: "POST",
        url: new URL(baseUrl + path),
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ api_key: apiKey }),
      },
      call,
    );

  const answer = await post("/v3/auth/token");
  if (judge(answer) !== "no_route") {
    const { token, project_id } = parseSession(sdkAnswer, answer);
    return { token, projectId: project_id ?? projectIdOf(token) };
  }
  const { bearer } = parseSession(publicAnswer, await post("/public/v1/auth/access_token"));
  return { token: bearer, projectId: projectIdOf(bearer) };
}

function parseSession<Parsed>(schema: z.ZodType<Parsed>, answer: HttpResponse): Parsed {
  if (judge(answer) === "no_route") throw noApi();
  if ([400, 401, 403, 404].includes(answer.status)) throw invalidApiKey();
  if (judge(answer) !== "ok") throw failure(answer);

  const parsed = schema.safeParse(parseJson(answer.body));
  if (!parsed.success) throw badResponse("The token exchange answered in an unknown shape.");
  return parsed.data;
}

const claims = z.object({
  exp: z.number().optional().catch(undefined),
  project_id: z.string().optional().catch(undefined),
});

/** Reads what a JWT says about itself. It is not verified: the server that issued it does that. */
function claimsOf(token: string): z.output<typeof claims> {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  return claims.safeParse(parseJson(payload)).data ?? {};
}

function projectIdOf(token: string): string | undefined {
  return claimsOf(token).project_id;
}

/** When the token says that it expires, in milliseconds since the epoch; never, if it does not say. */
export function expiryMs(token: string): number {
  return (claimsOf(token).exp ?? Infinity) * 1000;
}

function invalidApiKey(): ApiError {
  return new ApiError(
    "invalid_api_key",
    "AgentOps does not accept this API key.",
    "Check that the key belongs to this AGENTOPS_API_URL, and copy it again: from the dashboard (https://app.agentops.ai/settings/projects), or for agentops-local from `agentops-local projects list`.",
  );
}
