import type { TraceLog } from "./client.js";
import { ApiError } from "./errors.js";
import { parseJson } from "./json.js";
import { parseBody } from "./parse-body.js";
import type { Reader } from "./reader.js";
import { readOf, routes } from "./routes.js";
import { logBodySchema, logSchema } from "./schemas.js";

/** @throws ApiError `not_found` where the run printed nothing, or nothing was uploaded */
export async function readLog(reader: Reader, traceId: string): Promise<TraceLog> {
  const answer = await reader.firstAnswer([readOf(routes.traceLog, traceId)]);
  if (!answer) throw logsHidden();
  const { content, freeplan_truncated } = parseBody(logSchema, answer.body);
  const unwrapped = logBodySchema.safeParse(parseJson(content));
  return {
    text: unwrapped.success ? unwrapped.data : content,
    isTruncatedByPlan: freeplan_truncated === true,
  };
}

function logsHidden(): ApiError {
  return new ApiError(
    "forbidden",
    "This AgentOps deployment shows logs to signed-in dashboard users only.",
    "Set AGENTOPS_SESSION_COOKIE to the dashboard's session_id cookie where the server is configured.",
  );
}
