/** `2025-08-20T09:15:02.104211`: UTC without offset, to the microsecond, no fraction when it is zero. */
export function isoMicros(unixNano: bigint): string {
  const unixMicros = unixNano / 1000n;
  const seconds = new Date(Number(unixMicros / 1_000_000n) * 1000).toISOString().slice(0, 19);
  const micros = unixMicros % 1_000_000n;
  return micros === 0n ? seconds : `${seconds}.${micros.toString().padStart(6, "0")}`;
}

/** The same with the offset that AgentOps' own times carry. */
export function isoMicrosUtc(unixNano: bigint): string {
  return `${isoMicros(unixNano)}+00:00`;
}

/** Start and end as AgentOps rounds them: the end is the rounded start plus the rounded duration. */
export function isoRange(startUnixNano: bigint, durationNano: number) {
  const startMicros = startUnixNano / 1000n;
  const endMicros = startMicros + BigInt(Math.floor(durationNano / 1000));
  return {
    start_time: isoMicrosUtc(startMicros * 1000n),
    end_time: isoMicrosUtc(endMicros * 1000n),
    duration: durationNano,
  };
}

const unixSeconds = /^\d+(\.\d+)?$/;
const isoDate = /^\d{4}-\d\d-\d\d$/;
const isoDateTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;

/** Reads an ISO date or time (UTC unless it has an offset) or Unix seconds; undefined if it is neither. */
export function parseTime(text: string): bigint | undefined {
  if (unixSeconds.test(text)) return nanos(Number(text) * 1000);
  if (isoDate.test(text)) return nanos(Date.parse(text));
  const match = isoDateTime.exec(text);
  if (!match) return undefined;
  return nanos(Date.parse(match[3] ? text : `${text}Z`));
}

function nanos(unixMs: number): bigint | undefined {
  return Number.isFinite(unixMs) ? BigInt(Math.round(unixMs)) * 1_000_000n : undefined;
}
