import type { Hono } from "hono";
import { z } from "zod";
import { PLAN } from "../tokens.js";
import { RestError } from "./errors.js";
import { readJsonBody } from "./json-body.js";
import { type ExchangedKey, exchangeKey } from "./key-exchange.js";
import type { RefusedKeys } from "./refused-keys.js";
import { addRoute, type RestOptions } from "./routes.js";

interface AuthOptions extends RestOptions {
  readonly refusedKeys: RefusedKeys;
}

/** The two exchanges of an API key for a token: the SDKs' and the public API's. */
export function addAuthRoutes(app: Hono, options: AuthOptions): void {
  addRoute(app, "POST", "/v3/auth/token", async ({ req }) => {
    const { token, projectId } = await exchange(await readApiKey(req.raw), {
      malformed: new RestError(400, { error: "Invalid API key format" }),
      unknown: new RestError(403, { error: "Invalid API key" }),
    });
    return { token, project_id: projectId, project_prem_status: PLAN };
  });

  addRoute(app, "POST", "/public/v1/auth/access_token", async ({ req }) => {
    const text = await readApiKey(req.raw);
    if (text === "") throw new RestError(400, { detail: "api_key is required" });
    const { token } = await exchange(text, {
      malformed: new RestError(400, { detail: "Invalid api_key format" }),
      unknown: new RestError(404, { detail: "Project not found" }),
    });
    return { bearer: token };
  });

  async function exchange(
    text: string,
    refusals: { malformed: RestError; unknown: RestError },
  ): Promise<ExchangedKey> {
    const apiKey = parseUuid(text);
    const exchanged = apiKey && (await exchangeKey(options, apiKey));
    if (exchanged) return exchanged;
    options.refusedKeys.add(text);
    throw apiKey ? refusals.unknown : refusals.malformed;
  }
}

const bodySchema = z.object({ api_key: z.string() });

async function readApiKey(request: Request): Promise<string> {
  return (await readJsonBody(request, bodySchema)).api_key;
}

/** Any spelling that Python's `uuid.UUID` reads, as the canonical one: keys are pasted in many forms. */
function parseUuid(text: string): string | undefined {
  const digits = text
    .replace("urn:", "")
    .replace("uuid:", "")
    .replace(/^[{}]+|[{}]+$/g, "")
    .replaceAll("-", "")
    .toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(digits)) return undefined;
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
