import { expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatShare,
  formatTime,
  formatUsd,
  plural,
} from "../../src/tools/text.js";

test.each([
  [0, "0 µs"],
  [0.85, "850 µs"],
  [12.4, "12 ms"],
  [999.6, "1 s"],
  [1_234, "1.23 s"],
  [59_999, "60 s"],
  [125_000, "2 min 5 s"],
  [119_999.9, "2 min"],
  [3_600_000, "1 h"],
  [11_520_000, "3 h 12 min"],
  [187_200_000, "2 d 4 h"],
  [-1_500, "-1.5 s"],
])("%d ms is %s", (durationMs, text) => {
  expect(formatDuration(durationMs)).toBe(text);
});

test.each([
  [0, "$0"],
  [0.0000034, "$0.0000034"],
  [0.0123456, "$0.012"],
  [0.5, "$0.5"],
  [1234.5, "$1,234.50"],
  [-0.25, "-$0.25"],
])("%s USD is %s", (usd, text) => {
  expect(formatUsd(usd)).toBe(text);
});

test("counts have thousands, and nouns agree with them", () => {
  expect(formatCount(1_234_567)).toBe("1,234,567");
  expect([plural(1, "span"), plural(0, "span"), plural(2_000, "span")]).toEqual([
    "1 span",
    "0 spans",
    "2,000 spans",
  ]);
});

test("sizes, shares and times are short", () => {
  expect([12, 3_400, 10_000_000].map(formatBytes)).toEqual(["12 B", "3.4 KB", "10 MB"]);
  expect([formatShare(1, 8), formatShare(1, 80), formatShare(0, 0)]).toEqual([
    "13 %",
    "1.3 %",
    "0 %",
  ]);
  expect(formatTime(Date.UTC(2025, 7, 20, 9, 15, 2, 900))).toBe("2025-08-20 09:15:02Z");
});
