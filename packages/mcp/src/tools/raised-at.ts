import { type ErrorChain, errorOf } from "../trace/errors.js";
import { innermostOwnFrame, rootCause, type StackFrame } from "../trace/stack-frame.js";
import { excerpt } from "./recorded-text.js";
import { MAX_MESSAGE_CHARS } from "./span-line.js";

const MAX_FILE_CHARS = 200;
const MAX_FUNCTION_CHARS = 60;

/**
 * `raised at src/agent.py:42 in plan, caused by KeyError: 'city' at src/agent.py:24`: the lines to open.
 * Empty where no stack trace names code of one's own or a cause.
 */
export function raisedAt({ origin, passedOnBy }: ErrorChain): string {
  const stacktraces = [origin, ...passedOnBy]
    .map(({ span }) => errorOf(span)?.stacktrace ?? "")
    .filter(Boolean);
  const [frame] = stacktraces.flatMap((stacktrace) => innermostOwnFrame(stacktrace) ?? []);
  const cause = rootCause(stacktraces[0] ?? "");
  return [
    frame && `raised${placeText(frame)}`,
    cause && `caused by ${excerpt(cause.error, MAX_MESSAGE_CHARS)}${placeText(cause.frame)}`,
  ]
    .filter(Boolean)
    .join(", ");
}

function placeText(frame: StackFrame | undefined): string {
  if (frame === undefined) return "";
  const { file, line, functionName } = frame;
  const within =
    functionName === undefined ? "" : ` in ${excerpt(functionName, MAX_FUNCTION_CHARS)}`;
  return ` at ${excerpt(file, MAX_FILE_CHARS)}:${line}${within}`;
}
