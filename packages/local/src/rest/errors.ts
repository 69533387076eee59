import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** A refusal, with the body that AgentOps sends: `detail` as a rule, `error` on `/v3`, `message` on `/v2` and `/health`. */
export class RestError extends HTTPException {
  constructor(
    status: ContentfulStatusCode,
    body:
      | { readonly detail: unknown }
      | { readonly error: string }
      | { readonly path?: string; readonly instance?: string; readonly message: string },
  ) {
    super(status, { res: Response.json(body, { status }) });
  }
}

/** One entry of the list that FastAPI sends with a 422. */
export interface FieldError {
  readonly type: string;
  /** Where the field is; in a text that is not JSON, the offset in it. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly ctx?: { readonly error: string };
}

/** Unlike FastAPI, the answer does not repeat the input: it may hold a key. */
export function unprocessable(errors: readonly FieldError[]): RestError {
  return new RestError(422, { detail: errors.map((error) => ({ ...error, input: null })) });
}
