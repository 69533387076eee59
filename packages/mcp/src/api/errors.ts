/** Every way a read of AgentOps can fail. The set is closed: hosts and tests may switch on it. */
export type ApiErrorCode =
  | "missing_api_key"
  | "invalid_api_key"
  | "invalid_url"
  | "url_not_allowed"
  | "not_found"
  | "listing_unavailable"
  | "forbidden"
  | "bad_request"
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

export function cancelled(): ApiError {
  return new ApiError("cancelled", "The call was cancelled.", "Call again if it is still wanted.");
}

export function stopping(): ApiError {
  return new ApiError(
    "cancelled",
    "The server is stopping.",
    "Call again in a few seconds, if it comes back.",
  );
}

/** @param problem a sentence about the shape of the answer, never its text */
export function badResponse(problem: string, cause?: unknown): ApiError {
  return new ApiError(
    "bad_response",
    problem,
    "Check that AGENTOPS_API_URL is the address of an AgentOps API.",
    { cause },
  );
}

export function responseTooLarge(maxBytes: number): ApiError {
  return new ApiError(
    "response_too_large",
    `The response is larger than ${Math.round(maxBytes / 1024 / 1024)} MB.`,
    "Ask for less at once: a smaller limit, or single spans instead of the whole trace.",
  );
}

/** For reads of many things, where one failure stands beside the others. Cancelling ends them all. */
export async function orApiError<Result>(read: Promise<Result>): Promise<Result | ApiError> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof ApiError && error.code !== "cancelled") return error;
    throw error;
  }
}
