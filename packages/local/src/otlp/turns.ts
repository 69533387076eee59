import { setImmediate } from "node:timers/promises";

/**
 * Lets everything else that waits run between two pieces of work: the exports of many clients arrive
 * together, decoding one takes milliseconds, and the insert whose end lets them go on would wait for all.
 */
export function createTurns(): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return () => {
    last = last.then(() => setImmediate());
    return last;
  };
}
