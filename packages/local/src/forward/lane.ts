import { createBackOff, type Pace } from "./back-off.js";
import type { Cloud, Delivery } from "./cloud.js";
import type { Queue, Taken } from "./queue.js";

/** Counts of a lane's entries, since the start. */
export interface Tally {
  readonly sent: number;
  readonly dropped: number;
}

/** Sends what is in one queue, so that what fails there holds up no other. */
export interface Lane {
  /** Starts as many deliveries as may be under way, unless there was a failure a moment ago. */
  pump(): void;
  /** Stops sending; what is left stays in the queue. */
  close(): Promise<void>;
  tally(): Tally;
}

/** Deliveries under way: a sender of small exports must not be limited by the way to the cloud and back. */
const CONCURRENCY = 4;
const PACE: Pace = { firstMs: 500, maxMs: 30_000 };

/** Tries of an entry that fail although others of its lane got through since the one before: while a host is away none counts. */
export const MAX_FAILED_TRIES = 100;

export interface LaneOptions {
  readonly queue: Queue;
  readonly cloud: Pick<Cloud, "deliver">;
  readonly pace?: Pace;
  readonly onError: (error: unknown) => void;
  readonly onWarning: (message: string) => void;
}

export function createLane(options: LaneOptions): Lane {
  const { queue, pace = PACE, onError } = options;
  const closing = new AbortController();
  const deliveries = new Set<Promise<void>>();
  const backOff = createBackOff(pace, pump);
  const tally = { sent: 0, dropped: 0 };
  const attempt = createAttempts(options, tally);

  function pump(): void {
    while (!closing.signal.aborted && !backOff.isPausing() && deliveries.size < CONCURRENCY) {
      const taken = queue.take();
      if (!taken) return;
      const delivery = deliver(taken)
        .catch(onError)
        .finally(() => {
          deliveries.delete(delivery);
          pump();
        });
      deliveries.add(delivery);
    }
  }

  async function deliver(taken: Taken): Promise<void> {
    const delivery = await attempt(taken, closing.signal);
    if (delivery === "later") {
      taken.putBack();
      return backOff.pause();
    }
    backOff.reset();
    await taken.remove();
    tally[delivery === "sent" ? "sent" : "dropped"]++;
  }

  async function close(): Promise<void> {
    closing.abort();
    await Promise.allSettled(deliveries);
    backOff.cancel();
  }

  return { pump, close, tally: () => ({ ...tally }) };
}

type Attempt = (taken: Taken, signal: AbortSignal) => Promise<Delivery>;

/** Tries to send an entry; what cannot be read, or has failed too often, is not worth another try. */
function createAttempts({ cloud, onError, onWarning }: LaneOptions, tally: Tally): Attempt {
  const isLastFailure = createPatience(tally);

  /** Of the first only: there may be very many. */
  function warnOfDropped(reason: string): void {
    if (tally.dropped > 0) return;
    onWarning(
      `What was to be forwarded was dropped, and is here only: ${reason}. GET /health counts all that are (forward.dropped).`,
    );
  }

  async function send({ path, read }: Taken, signal: AbortSignal): Promise<Delivery> {
    const entry = await read();
    if (entry) {
      const delivery = await cloud.deliver(entry, signal);
      if (delivery === "never") warnOfDropped("the cloud refuses it, or its key");
      return delivery;
    }
    onWarning(`${path} is damaged, or gone. It was removed, and is not forwarded.`);
    return "never";
  }

  return async (taken, signal) => {
    const delivery = await send(taken, signal).catch((error): Delivery => {
      onError(error);
      return "later";
    });
    if (delivery !== "later" || signal.aborted) return delivery;
    if (!isLastFailure(taken)) return "later";
    warnOfDropped("the cloud has failed too often");
    return "never";
  };
}

/** Counts a failed try of an entry, and tells whether it is not worth another. A start counts anew. */
function createPatience(tally: Tally): (taken: Taken) => boolean {
  const failures = new WeakMap<Taken, { readonly tries: number; readonly sent: number }>();

  return (taken) => {
    const { sent } = tally;
    const before = failures.get(taken) ?? { tries: 0, sent };
    const tries = before.tries + (sent > before.sent ? 1 : 0);
    failures.set(taken, { tries, sent });
    return tries >= MAX_FAILED_TRIES;
  };
}
