/** Every way a read of AgentOps can fail. The set is closed: hosts and tests may switch on it. */
export type ApiErrorCode =
  | "missing_api_key"
  | "invalid_api_key"
  | "invalid_url"
  | "url_not_allowed"
  | "not_found"
  | "listing_unavailable"
  | "forbidden"
  | "rate_limited"
  | "unreachable"
  | "timeout"
  | "cancelled"
  | "server_error"
  | "bad_response"
  | "response_too_large";

/**
 * A failed read. `message` says what happened and `hint` what to do about it. Neither ever holds a
 * key, a token, or text taken from a response: traces are untrusted and errors reach the model.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;
  readonly hint: string;

  constructor(code: ApiErrorCode, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}
