/** The first pause, and the longest. */
export interface Pace {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Pauses that are twice as long each time, until something goes well. */
export interface BackOff {
  isPausing(): boolean;
  pause(): void;
  reset(): void;
  cancel(): void;
}

export function createBackOff({ firstMs, maxMs }: Pace, resume: () => void): BackOff {
  let nextMs = firstMs;
  let timer: NodeJS.Timeout | undefined;

  return {
    isPausing: () => timer !== undefined,

    pause() {
      if (timer) return;
      timer = setTimeout(() => {
        timer = undefined;
        resume();
      }, nextMs);
      nextMs = Math.min(nextMs * 2, maxMs);
    },

    reset() {
      nextMs = firstMs;
    },

    cancel: () => clearTimeout(timer),
  };
}
