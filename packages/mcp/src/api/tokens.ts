import { createBoundedCache } from "./bounded-cache.js";
import { type Call, untilAborted, withinDeadline } from "./call.js";
import { cancelled } from "./errors.js";
import { type Credential, exchangeKey, expiryMs, type Session } from "./token-exchange.js";
import type { Transport } from "./transport.js";

export interface Tokens {
  /** Exchanges a key, or answers from memory. Concurrent callers share one exchange. */
  session(credential: Credential, call: Call): Promise<Session>;
  /** Forgets a session that the server rejects, unless a newer one has taken its place. */
  discard(credential: Credential, rejected: Session): void;
  clear(): void;
}

export interface TokensOptions {
  readonly transport: Transport;
  readonly now: () => number;
}

/** The contract: what outlives a call is the token, in memory, this long at most. */
export const MAX_TOKEN_AGE_MS = 15 * 60_000;
export const MAX_TOKENS = 1_000;

/** An exchange is shared, so it has a deadline of its own rather than that of whoever came first. */
const EXCHANGE_DEADLINE_MS = 30_000;

interface Exchange {
  readonly session: Promise<Session>;
  readonly controller: AbortController;
  waiters: number;
}

export function createTokens({ transport, now }: TokensOptions): Tokens {
  const sessions = createBoundedCache<Session>({
    maxWeight: MAX_TOKENS,
    ttlMs: MAX_TOKEN_AGE_MS,
    now,
  });
  const exchanges = new Map<string, Exchange>();

  function start(credential: Credential): Exchange {
    const controller = new AbortController();
    const bounds = { signal: controller.signal, deadlineAtMs: now() + EXCHANGE_DEADLINE_MS, now };
    const session = withinDeadline(bounds, (call) => exchangeKey(transport, credential, call));
    const exchange: Exchange = { session, controller, waiters: 0 };

    exchanges.set(credential.id, exchange);
    session.then(
      (opened) => {
        if (!forget(credential, exchange)) return;
        sessions.set(credential.id, opened, { ttlMs: ttlMs(opened, now()) });
      },
      // A failed exchange is told to those who wait for it and not remembered.
      () => forget(credential, exchange),
    );
    return exchange;
  }

  function forget({ id }: Credential, exchange: Exchange): boolean {
    return exchanges.get(id) === exchange && exchanges.delete(id);
  }

  return {
    async session(credential, { signal }) {
      const known = sessions.get(credential.id);
      if (known) return known;

      const exchange = exchanges.get(credential.id) ?? start(credential);
      exchange.waiters += 1;
      try {
        return await untilAborted(exchange.session, signal);
      } finally {
        exchange.waiters -= 1;
        // Nobody waits any more: either it is settled, or all who wanted it have given up.
        if (exchange.waiters === 0 && forget(credential, exchange)) {
          exchange.controller.abort(cancelled());
        }
      }
    },

    discard({ id }, rejected) {
      if (sessions.get(id) === rejected) sessions.delete(id);
    },

    clear() {
      sessions.clear();
      for (const { controller } of exchanges.values()) controller.abort(cancelled());
      exchanges.clear();
    },
  };
}

function ttlMs({ token }: Session, nowMs: number): number {
  const untilExpiryMs = expiryMs(token) - nowMs;
  // A token that is born expired means that one of the two clocks is wrong: the server's own decides.
  return untilExpiryMs > 0 ? Math.min(untilExpiryMs, MAX_TOKEN_AGE_MS) : MAX_TOKEN_AGE_MS;
}
