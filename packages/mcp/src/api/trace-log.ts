import type { TraceLog } from "./client.js";
import { ApiError } from "./errors.js";
import { parseJson } from "./json.js";
import { parseBody } from "./parse-body.js";
import type { Reader } from "./reader.js";
import { readOf, routes } from "./routes.js";
import { logBodySchema, logSchema } from "./schemas.js";

/** @throws ApiError `not_found` where the run printed nothing, or nothing was uploaded */
export async function readLog(reader: Reader, traceId: string): Promise<TraceLog> {
  const answer = await readAnswer(reader, traceId);
  const { content, freeplan_truncated } = parseBody(logSchema, answer.body);
  const unwrapped = logBodySchema.safeParse(parseJson(content));
  return {
    text: unwrapped.success ? unwrapped.data : content,
    isTruncatedByPlan: freeplan_truncated === true,
  };
}

async function readAnswer(reader: Reader, traceId: string) {
  try {
    const answer = await reader.firstAnswer([readOf(routes.traceLog, traceId)]);
    if (answer) return answer;
  } catch (error) {
    if (error instanceof ApiError && error.code === "not_found") throw noLog();
    throw error;
  }
  throw new ApiError(
    "forbidden",
    "This AgentOps deployment shows logs to signed-in dashboard users only.",
    "Set AGENTOPS_SESSION_COOKIE to the dashboard's session_id cookie where the server is configured.",
  );
}

function noLog(): ApiError {
  return new ApiError(
    "not_found",
    "This trace has no log.",
    "The SDK uploads what a process printed for its first trace only. Use search_spans to look inside spans.",
  );
}
