import { describe, expect, test } from "vitest";
import { isoMicrosUtc, isoRange, parseTime } from "../../src/rest/time.js";

describe("times out", () => {
  test.each([
    [1_767_323_045_123_456_789n, "2026-01-02T03:04:05.123456+00:00"],
    [1_767_323_045_000_007_000n, "2026-01-02T03:04:05.000007+00:00"],
    [1_767_323_045_000_000_999n, "2026-01-02T03:04:05+00:00"],
    [0n, "1970-01-01T00:00:00+00:00"],
  ])("%s ns is %s", (unixNano, text) => {
    expect(isoMicrosUtc(unixNano)).toBe(text);
  });

  test("the end is the rounded start plus the rounded duration, the duration stays exact", () => {
    expect(isoRange(1_767_323_045_123_456_999n, 1_999)).toEqual({
      start_time: "2026-01-02T03:04:05.123456+00:00",
      end_time: "2026-01-02T03:04:05.123457+00:00",
      duration: 1_999,
    });
  });
});

describe("times in", () => {
  test.each([
    ["2026-01-02T03:04:05Z", 1_767_323_045_000_000_000n],
    ["2026-01-02T03:04:05.250", 1_767_323_045_250_000_000n],
    ["2026-01-02 03:04", 1_767_323_040_000_000_000n],
    ["2026-01-02T05:04:05+02:00", 1_767_323_045_000_000_000n],
    ["2026-01-02", 1_767_312_000_000_000_000n],
    ["1767323045", 1_767_323_045_000_000_000n],
    ["1767323045.5", 1_767_323_045_500_000_000n],
  ])("%s is understood", (text, unixNano) => {
    expect(parseTime(text)).toBe(unixNano);
  });

  test.each(["yesterday", "", "2026-13-45", "2026-01-02T99:00:00Z"])("%j is not a time", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
