import { counted } from "./progress.js";
import type { Store } from "./store/index.js";

/** How often expired traces are removed at least, after once at the start. */
const MAX_SWEEP_INTERVAL_MS = 6 * 3_600_000;

export interface Retention {
  /** Sweeps no more; resolves once a sweep under way is done. */
  close(): Promise<void>;
}

interface RetentionOptions {
  readonly store: Pick<Store, "removeExpired">;
  readonly retentionMs: number;
  readonly onError: (error: unknown) => void;
  /** Told what is gone for good. */
  readonly onWarning: (message: string) => void;
}

/** Removes traces that are older than `retentionMs`, now and from time to time. */
export function startRetention({ store, retentionMs, ...told }: RetentionOptions): Retention {
  const sweep = () =>
    store
      .removeExpired(BigInt(Date.now() - retentionMs) * 1_000_000n)
      .then(({ traceCount, uploadCount }) => {
        if (traceCount + uploadCount === 0) return;
        told.onWarning(
          `Removed ${counted(traceCount, "trace")} and ${counted(uploadCount, "upload")}: older than --retention.`,
        );
      })
      .catch(told.onError);
  let sweeping = sweep();
  const timer = setInterval(
    () => {
      sweeping = sweep();
    },
    Math.min(retentionMs, MAX_SWEEP_INTERVAL_MS),
  );

  return {
    async close() {
      clearInterval(timer);
      await sweeping;
    },
  };
}
