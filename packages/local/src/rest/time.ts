import { MAX_UNIX_NANO } from "../store/index.js";

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

const unixTime = /^(\d+)(\.\d+)?$/;
const isoDate = /^\d{4}-\d\d-\d\d$/;
const isoTime = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/;

/** Past that a Unix time is milliseconds, as Pydantic reads it; as seconds it would be the year 2603. */
const MAX_UNIX_SECONDS = 20_000_000_000n;

/**
 * Reads an ISO date or time (UTC unless it has an offset), Unix seconds or Unix milliseconds, to the
 * nanosecond; undefined if it is none of these.
 */
export function parseTime(text: string): bigint | undefined {
  const [, unix, unixFraction] = unixTime.exec(text) ?? [];
  if (unix !== undefined) return unixInstant(BigInt(unix), unixFraction);
  if (isoDate.test(text)) return parseIso(text);
  const [, local, fraction = "", offset = "Z"] = isoTime.exec(text) ?? [];
  return local === undefined ? undefined : parseIso(local.replace(fraction, "") + offset, fraction);
}

/** The same, but a date alone is the last instant of its day. */
export function parseEndTime(text: string): bigint | undefined {
  return parseTime(isoDate.test(text) ? `${text}T23:59:59.999999999` : text);
}

/** `Date` keeps milliseconds only, so it gets whole seconds. */
function parseIso(text: string, fraction?: string): bigint | undefined {
  const unixMs = isCalendarDay(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(unixMs) ? undefined : instant(BigInt(unixMs / 1000), fraction);
}

/** `Date` takes February 30 for March 2. */
function isCalendarDay(text: string): boolean {
  const day = text.slice(0, "2026-01-02".length);
  const unixMs = Date.parse(day);
  return !Number.isNaN(unixMs) && new Date(unixMs).toISOString().startsWith(day);
}

/** The end of the last whole microsecond that the store can hold. */
const LATEST_UNIX_NANO = (MAX_UNIX_NANO / 1000n) * 1000n - 1n;

function instant(unixSeconds: bigint, fraction = ""): bigint {
  const nanos = BigInt(fraction.slice(1, 10).padEnd(9, "0"));
  const unixNano = unixSeconds * 1_000_000_000n + nanos;
  if (unixNano > LATEST_UNIX_NANO) return LATEST_UNIX_NANO;
  return unixNano < -LATEST_UNIX_NANO ? -LATEST_UNIX_NANO : unixNano;
}

/** Undefined for one past all of them: microseconds or nanoseconds, as a rule. */
function unixInstant(time: bigint, fraction?: string): bigint | undefined {
  if (time <= MAX_UNIX_SECONDS) return instant(time, fraction);
  if (time > MAX_UNIX_SECONDS * 1000n) return undefined;
  const ms = time % 1000n;
  return instant(time / 1000n, `.${String(ms).padStart(3, "0")}${fraction?.slice(1) ?? ""}`);
}

/** The last instant that answers write like this one: they write times to the microsecond. */
export function endOfMicrosecond(unixNano: bigint): bigint {
  return (unixNano / 1000n) * 1000n + 999n;
}
