import { byteLength, type EncodedSpan } from "./row-binary.js";
import type { SpanLog } from "./span-log.js";

/** Collects what concurrent exports bring and appends it in few, larger batches. */
export interface SpanWriter {
  /** Resolves once the spans are on disk; rejects if their batch could not be stored. */
  write(spans: readonly EncodedSpan[]): Promise<void>;
  /** Runs it while no batch is being written. */
  between<Result>(task: () => Promise<Result>): Promise<Result>;
  /** Resolves once nothing is waiting to be written. */
  flush(): Promise<void>;
}

/** Past this a batch is closed: larger ones gain no speed and hold more memory. */
export const MAX_BATCH_BYTES = 32 * 1024 * 1024;

interface PendingWrite {
  readonly spans: readonly EncodedSpan[];
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * No timer: the first export is written at once, and those that arrive while it is being written form
 * the next batch. A lone export waits for nobody, and a busy server makes large batches by itself.
 */
export function createSpanWriter(log: SpanLog): SpanWriter {
  const pending: PendingWrite[] = [];
  let draining: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** One at a time, in the order of the calls. */
  function exclusive<Result>(task: () => Promise<Result>): Promise<Result> {
    const done = turn.then(task);
    turn = done.catch(() => {});
    return done;
  }

  async function drain(): Promise<void> {
    while (pending.length > 0) await exclusive(() => writeBatch(log, takeBatch(pending)));
    draining = undefined;
  }

  return {
    write(spans) {
      return new Promise((resolve, reject) => {
        pending.push({ spans, resolve, reject });
        draining ??= drain();
      });
    },

    between: exclusive,

    async flush() {
      await draining;
      await turn;
    },
  };
}

function takeBatch(pending: PendingWrite[]): PendingWrite[] {
  let bytes = 0;
  const fits = ({ spans }: PendingWrite) => {
    bytes += byteLength(spans);
    return bytes <= MAX_BATCH_BYTES;
  };
  const end = pending.findIndex((write) => !fits(write));
  // One export may be larger than a batch: it goes alone.
  return pending.splice(0, end === -1 ? pending.length : Math.max(end, 1));
}

async function writeBatch(log: SpanLog, batch: readonly PendingWrite[]): Promise<void> {
  try {
    await log.append(batch.flatMap(({ spans }) => spans));
    for (const { resolve } of batch) resolve();
  } catch (error) {
    for (const { reject } of batch) reject(error);
  }
}
