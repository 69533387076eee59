import type { Target } from "./agentops.js";
import { ApiError } from "./errors.js";

/** Where AgentOps Cloud answers. */
export const PRODUCTION_API_URL = "https://api.agentops.ai";

/** Where people look at a trace of AgentOps Cloud. The dashboards of other deployments are not known. */
export function dashboardUrl(baseUrl: string, traceId: string): string | undefined {
  if (baseUrl !== PRODUCTION_API_URL) return undefined;
  return `https://app.agentops.ai/sessions?trace_id=${encodeURIComponent(traceId)}`;
}

/** The credentials and places the operator chose; a key from an HTTP header counts as configured. */
export interface ConfiguredAccess {
  readonly apiUrl: string;
  readonly apiKey?: string | undefined;
  readonly sessionCookie?: string | undefined;
  /** Further URLs that the configured credentials may be sent to. */
  readonly allowedApiUrls: readonly string[];
}

/** What one tool call says about itself. */
export interface RequestedAccess {
  readonly apiKey?: string | undefined;
  readonly apiUrl?: string | undefined;
}

/**
 * Decides where a call goes and with which credentials. A key that comes with the call may go to any
 * valid URL: its owner chose both. Configured credentials go only where the operator said, because the
 * URL is an argument that a model, and so a trace it has read, may have chosen.
 *
 * @throws ApiError `missing_api_key`, `invalid_url` or `url_not_allowed`
 */
export function resolveTarget(requested: RequestedAccess, configured: ConfiguredAccess): Target {
  const baseUrl = normaliseBaseUrl(requested.apiUrl ?? configured.apiUrl);
  const isConfiguredUrl = [configured.apiUrl, ...configured.allowedApiUrls].some(
    (url) => normaliseBaseUrl(url) === baseUrl,
  );
  // Keys are pasted: surrounding blanks and newlines are never part of one.
  const requestedKey = requested.apiKey?.trim();
  const apiKey = requestedKey || configured.apiKey?.trim();

  if (!apiKey) throw missingApiKey();
  if (!requestedKey && !isConfiguredUrl) throw urlNotAllowed();

  return { baseUrl, apiKey, sessionCookie: isConfiguredUrl ? configured.sessionCookie : undefined };
}

/** Drops trailing slashes, so that one deployment has one name. @throws ApiError `invalid_url` */
export function normaliseBaseUrl(text: string): string {
  const url = parseUrl(text.trim());
  if (url.search || url.hash) {
    throw invalidUrl("The AgentOps API URL has a query or a fragment.");
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** The part of the policy that also holds for every redirect. @throws ApiError `invalid_url` */
export function parseUrl(text: string, base?: string): URL {
  // The text is not repeated in any message: it may hold a password.
  if (!URL.canParse(text, base)) throw invalidUrl("The AgentOps API URL is not a URL.");

  const url = new URL(text, base);
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw invalidUrl("The AgentOps API URL is neither http nor https.");
  }
  if (url.username || url.password) {
    throw invalidUrl("The AgentOps API URL holds a user name or password.");
  }
  return url;
}

function invalidUrl(message: string): ApiError {
  return new ApiError(
    "invalid_url",
    message,
    `Give a URL such as ${PRODUCTION_API_URL} or http://localhost:8000.`,
  );
}

function missingApiKey(): ApiError {
  return new ApiError(
    "missing_api_key",
    "No AgentOps API key was given.",
    "Set AGENTOPS_API_KEY where the server is configured, over HTTP the header X-Agentops-Api-Key, or pass it with the call. Keys are listed at https://app.agentops.ai/settings/projects.",
  );
}

function urlNotAllowed(): ApiError {
  return new ApiError(
    "url_not_allowed",
    "The configured API key may not be sent to this URL.",
    "Add the URL to AGENTOPS_ALLOWED_API_URLS where the server is configured, or pass AGENTOPS_API_KEY with the call.",
  );
}
