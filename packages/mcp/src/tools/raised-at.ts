import { type ErrorChain, errorOf } from "../trace/errors.js";
import { innermostOwnFrame } from "../trace/stack-frame.js";
import { excerpt } from "./recorded-text.js";

const MAX_FILE_CHARS = 200;
const MAX_FUNCTION_CHARS = 60;

/** `raised at src/agent.py:42 in plan`: the line to open. Empty where no stack trace names code of one's own. */
export function raisedAt({ origin, passedOnBy }: ErrorChain): string {
  for (const { span } of [origin, ...passedOnBy]) {
    const frame = innermostOwnFrame(errorOf(span)?.stacktrace ?? "");
    if (frame === undefined) continue;
    const { file, line, functionName } = frame;
    const within =
      functionName === undefined ? "" : ` in ${excerpt(functionName, MAX_FUNCTION_CHARS)}`;
    return `raised at ${excerpt(file, MAX_FILE_CHARS)}:${line}${within}`;
  }
  return "";
}
