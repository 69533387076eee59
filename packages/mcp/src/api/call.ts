import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { TraceContext } from "./agentops.js";
import { ApiError, cancelled } from "./errors.js";

/** What bounds the work done for one caller. The signal's reason is always an `ApiError`. */
export interface Call {
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  readonly deadlineAtMs: number;
  readonly traceContext?: TraceContext | undefined;
}

export interface CallBounds extends Call {
  readonly now: () => number;
  /** Ends the work of all callers at once. Its reason, too, is an `ApiError`. */
  readonly closed?: AbortSignal | undefined;
}

/** Runs work that stops when the caller cancels or the deadline passes, whichever comes first. */
export async function withinDeadline<Result>(
  { signal, deadlineAtMs, now, closed, traceContext }: CallBounds,
  run: (call: Call) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) throw cancelled();
  closed?.throwIfAborted();

  const controller = new AbortController();
  const cancel = () => controller.abort(cancelled());
  const close = () => controller.abort(closed?.reason);
  // One call waits on many requests at once, which Node would report as a listener leak.
  setMaxListeners(0, signal, controller.signal, ...(closed ? [closed] : []));
  signal.addEventListener("abort", cancel, { once: true });
  closed?.addEventListener("abort", close, { once: true });
  const timer = setTimeout(() => controller.abort(deadlinePassed()), deadlineAtMs - now());

  try {
    return await run({ signal: controller.signal, deadlineAtMs, traceContext });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
    closed?.removeEventListener("abort", close);
  }
}

/** Waits for a promise that others may go on waiting for. */
export function untilAborted<Result>(
  promise: Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();

    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

function deadlinePassed(): ApiError {
  return new ApiError(
    "timeout",
    "AgentOps did not answer within the time one call may take.",
    "Try again, or ask for less at once: fewer traces, or single spans.",
  );
}
