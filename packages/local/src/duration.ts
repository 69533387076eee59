const MINUTE_MS = 60_000;
const msPer = new Map([
  ["m", MINUTE_MS],
  ["h", 60 * MINUTE_MS],
  ["d", 24 * 60 * MINUTE_MS],
  ["w", 7 * 24 * 60 * MINUTE_MS],
]);

/** Reads minutes, hours, days or weeks from 1 on (`90m`, `12h`, `30d`, `8w`); undefined if it is something else. */
export function durationMs(text: string): number | undefined {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([mhdw])$/.exec(text) ?? [];
  const unitMs = msPer.get(unit);
  return unitMs && Number(count) * unitMs;
}
