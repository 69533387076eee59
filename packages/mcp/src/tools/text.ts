/** Words for figures. Everything here is pure and knows nothing of traces. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `850 µs`, `12 ms`, `1.23 s`, `2 min 5 s`, `3 h 12 min`, `2 d 4 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 0) return `-${formatDuration(-durationMs)}`;
  if (durationMs < 1) return `${Math.round(durationMs * 1000)} µs`;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 99_950) return `${trimZeros((durationMs / 1000).toPrecision(3))} s`;
  if (durationMs < HOUR_MS) return twoUnits(durationMs, [MINUTE_MS, "min"], [1000, "s"]);
  if (durationMs < DAY_MS) return twoUnits(durationMs, [HOUR_MS, "h"], [MINUTE_MS, "min"]);
  return twoUnits(durationMs, [DAY_MS, "d"], [HOUR_MS, "h"]);
}

type Unit = readonly [sizeMs: number, name: string];

function twoUnits(durationMs: number, [bigMs, big]: Unit, [smallMs, small]: Unit): string {
  const total = Math.round(durationMs / smallMs);
  const perBig = bigMs / smallMs;
  const rest = total % perBig;
  return `${Math.floor(total / perBig)} ${big}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** Two digits that count, from a millionth of a dollar up: `$1,234.50`, `$0.012`, `$0.0000034`, `$0`. */
export function formatUsd(usd: number): string {
  const sign = usd < 0 ? "-" : "";
  const amount = Math.abs(usd);
  if (amount < 1e-9) return "$0";
  if (amount >= 1) return `${sign}$${withThousands(amount.toFixed(2))}`;
  const digits = Math.min(10, 1 - Math.floor(Math.log10(amount)));
  return `${sign}$${trimZeros(amount.toFixed(digits))}`;
}

/** `0`, `1,234`, `56,789`. */
export function formatCount(count: number): string {
  return withThousands(String(Math.round(count)));
}

/** `1 span`, `1,234 spans`. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `12 B`, `3.4 KB`, `10 MB`. */
export function formatBytes(byteLength: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let size = byteLength;
  while (size >= 1000 && units.length > 1) {
    size /= 1000;
    units.shift();
  }
  return `${size < 10 ? trimZeros(size.toFixed(1)) : Math.round(size)} ${units[0]}`;
}

/** `12 %`, or `3.5 %` where one digit would hide it. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return "0 %";
  const percent = (100 * part) / whole;
  return `${percent < 10 ? trimZeros(percent.toFixed(1)) : Math.round(percent)} %`;
}

/** UTC to the second: `2025-08-20 09:15:02Z`. */
export function formatTime(unixMs: number): string {
  return `${new Date(unixMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** Columns divided by ` | `, without padding: alignment costs tokens and models do not need it. */
export function tableLines(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  return [header, ...rows].map((cells) => cells.join(" | "));
}

function withThousands(digits: string): string {
  return digits.replace(/\B(?=(?:\d{3})+(?:\.|$))/g, ",");
}

function trimZeros(digits: string): string {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}
