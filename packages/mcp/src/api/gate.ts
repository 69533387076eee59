/** Admits a bounded number of requests at a time, and fewer while the server says it is overloaded. */
export interface Gate {
  /** Waits for a turn, first come first served. Rejects with the signal's reason. */
  enter(signal: AbortSignal): Promise<Pass>;
}

export interface Pass {
  leave(outcome: "served" | "overloaded"): void;
}

/**
 * The limit halves on an overload and grows by one for each full window that was served, so that many
 * clients of one server find a rate that it can bear.
 */
export function createGate(maxInFlight: number): Gate {
  // A Set, because a cancelled waiter leaves from the middle.
  const waiting = new Set<() => void>();
  let limit = maxInFlight;
  let inFlight = 0;
  let admitted = 0;
  let admittedAtHalving = 0;

  function adapt(ticket: number, outcome: "served" | "overloaded"): void {
    if (outcome === "served") {
      limit = Math.min(maxInFlight, limit + 1 / limit);
    } else if (ticket > admittedAtHalving) {
      // Requests sent before the last halving say nothing new about the load.
      limit = Math.max(1, limit / 2);
      admittedAtHalving = admitted;
    }
  }

  function admit(): Pass {
    inFlight += 1;
    admitted += 1;
    const ticket = admitted;
    return {
      leave(outcome) {
        inFlight -= 1;
        adapt(ticket, outcome);
        for (const next of waiting) {
          if (inFlight >= Math.floor(limit)) break;
          next();
        }
      },
    };
  }

  return {
    enter(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        if (inFlight < Math.floor(limit)) return resolve(admit());

        const settle = () => {
          waiting.delete(next);
          signal.removeEventListener("abort", abandon);
        };
        const next = () => {
          settle();
          resolve(admit());
        };
        const abandon = () => {
          settle();
          reject(signal.reason);
        };
        waiting.add(next);
        signal.addEventListener("abort", abandon, { once: true });
      });
    },
  };
}
