import { endUnixMs, type Trace } from "../trace/trace.js";
import { createBoundedCache } from "./bounded-cache.js";

/**
 * Keeps finished traces for a while, per credential. The bound counts the characters of the answers
 * they were parsed from; parsed, they take about three times as much.
 */
export interface TraceCache {
  get(credentialId: string, traceId: string): Trace | undefined;
  /** Keeps the trace only if it looks finished. */
  offer(credentialId: string, trace: Trace, bodyLength: number): void;
  clear(): void;
}

export const MAX_CACHED_CHARACTERS = 32 * 1024 * 1024;
export const CACHED_TRACE_TTL_MS = 10 * 60_000;

/** Exporters and collectors hold spans back for some seconds; a trace quiet for this long is whole. */
export const QUIET_MS = 60_000;

export function createTraceCache(now: () => number): TraceCache {
  const traces = createBoundedCache<Trace>({
    maxWeight: MAX_CACHED_CHARACTERS,
    ttlMs: CACHED_TRACE_TTL_MS,
    now,
  });
  const key = (credentialId: string, traceId: string) => `${credentialId} ${traceId}`;

  return {
    get: (credentialId, traceId) => traces.get(key(credentialId, traceId)),
    offer(credentialId, trace, bodyLength) {
      if (!isFinished(trace, now())) return;
      traces.set(key(credentialId, trace.traceId), trace, { weight: bodyLength });
    },
    clear: traces.clear,
  };
}

/** Spans are exported when they end, so a trace that has its root span has ended. */
function isFinished({ spans }: Trace, nowMs: number): boolean {
  const hasRoot = spans.some(({ parentSpanId }) => parentSpanId === undefined);
  return hasRoot && spans.every((span) => endUnixMs(span) < nowMs - QUIET_MS);
}
