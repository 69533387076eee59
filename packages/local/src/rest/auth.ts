import type { Hono } from "hono";
import { z } from "zod";
import { PLAN } from "../tokens.js";
import { RestError } from "./errors.js";
import { readJsonBody } from "./json-body.js";
import { addRoute, type RestOptions } from "./routes.js";

/** The two exchanges of an API key for a token: the SDKs' and the public API's. */
export function addAuthRoutes(app: Hono, { store, tokens }: RestOptions): void {
  addRoute(app, "POST", "/v3/auth/token", async ({ req }) => {
    const apiKey = parseUuid(await readApiKey(req.raw));
    if (!apiKey) throw new RestError(400, { error: "Invalid API key format" });
    const project = await store.projectByApiKey(apiKey);
    if (!project) throw new RestError(403, { error: "Invalid API key" });
    const token = await tokens.issue(project);
    return { token, project_id: project.id, project_prem_status: PLAN };
  });

  addRoute(app, "POST", "/public/v1/auth/access_token", async ({ req }) => {
    const text = await readApiKey(req.raw);
    if (text === "") throw new RestError(400, { detail: "api_key is required" });
    const apiKey = parseUuid(text);
    if (!apiKey) throw new RestError(400, { detail: "Invalid api_key format" });
    const project = await store.projectByApiKey(apiKey);
    if (!project) throw new RestError(404, { detail: "Project not found" });
    return { bearer: await tokens.issue(project) };
  });
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
