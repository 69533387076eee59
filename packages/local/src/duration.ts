const hoursPer = new Map([
  ["h", 1],
  ["d", 24],
  ["w", 7 * 24],
]);

/** Reads hours, days or weeks from 1 on (`12h`, `30d`, `8w`); undefined if it is something else. */
export function durationMs(text: string): number | undefined {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  const hours = hoursPer.get(unit);
  return hours && Number(count) * hours * 3_600_000;
}
