import type { HttpResponse } from "./connections.js";

/** Answers of an overloaded or restarting server; every other failure is answered the same again. */
const TRANSIENT_STATUSES = new Set([429, 502, 503, 504]);

export const MAX_TRIES = 3;
const FIRST_BACKOFF_MS = 200;

export function isTransientStatus(status: number): boolean {
  return TRANSIENT_STATUSES.has(status);
}

/** Doubles with each try before, and spreads callers who failed together over the second half of the wait. */
export function backoffMs(triesBefore: number, random: number): number {
  return FIRST_BACKOFF_MS * 2 ** triesBefore * (0.5 + random / 2);
}

/** Longer waits are a mistake of the server's, or its way of saying no. */
export const MAX_RETRY_AFTER_MS = 24 * 60 * 60_000;

/** How long the server asks to wait: seconds or an HTTP date (RFC 9110 §10.2.3), 0 if it does not say. */
export function retryAfterMs({ headers }: HttpResponse, nowMs: number): number {
  const value = headers["retry-after"]?.trim() ?? "";
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Math.min(Math.max(waitMs || 0, 0), MAX_RETRY_AFTER_MS);
}
