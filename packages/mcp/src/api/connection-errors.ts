import { ApiError, badResponse } from "./errors.js";

/** Failures of the way there, after which the same request may well succeed. */
const TRANSIENT_CODES = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ETIMEDOUT",
]);

export function isTransient(error: unknown): boolean {
  return TRANSIENT_CODES.has(errorCode(error));
}

/** Says in our words why an exchange failed. */
export function connectionError(error: unknown, { host }: URL): ApiError {
  if (error instanceof ApiError) return error;

  const code = errorCode(error);
  if (code.startsWith("HPE_")) return badResponse("The server does not speak HTTP.", error);
  if (code.startsWith("Z_")) return badResponse("The response could not be unpacked.", error);

  return new ApiError("unreachable", `Cannot reach ${host}${code && ` (${code})`}.`, hint(code), {
    cause: error,
  });
}

function hint(code: string): string {
  if (/CERT|SIGNATURE|ISSUER/.test(code)) {
    return "Its TLS certificate is not trusted: set NODE_EXTRA_CA_CERTS if a private authority issued it.";
  }
  if (/SSL|EPROTO/.test(code)) {
    return "It does not speak TLS: AGENTOPS_API_URL may have to start with http:// instead of https://.";
  }
  return "Check AGENTOPS_API_URL, that the server runs, and the network or proxy between.";
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
