import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endOfMicrosecond, isoMicrosUtc, isoRange, parseTime } from "../../src/rest/time.js";

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

describe("any instant", () => {
  /** From 1970 to 2262, what the store can hold. */
  const anyUnixNano = fc.bigInt({ min: 0n, max: 9_223_372_036_854_774_999n });

  test("goes out to the microsecond, with a fraction of six digits or none", () => {
    fc.assert(
      fc.property(anyUnixNano, (unixNano) => {
        const [, seconds, micros] =
          /^(.{19})(?:\.(\d{6}))?\+00:00$/.exec(isoMicrosUtc(unixNano)) ?? [];
        const unixMs = Date.parse(`${seconds}Z`);
        expect(BigInt(unixMs) * 1_000_000n + BigInt(micros ?? 0) * 1000n).toBe(
          unixNano - (unixNano % 1000n),
        );
      }),
    );
  });

  test("comes in as it went out, and stands for the whole microsecond as an upper bound", () => {
    fc.assert(
      fc.property(anyUnixNano, (unixNano) => {
        const micros = parseTime(isoMicrosUtc(unixNano)) ?? 0n;
        expect(micros).toBe(unixNano - (unixNano % 1000n));
        expect(endOfMicrosecond(micros)).toBe(micros + 999n);
        expect(endOfMicrosecond(unixNano)).toBe(micros + 999n);
      }),
    );
  });

  test("comes in to the nanosecond", () => {
    fc.assert(
      fc.property(anyUnixNano, (unixNano) => {
        const nanos = String(unixNano % 1_000_000_000n).padStart(9, "0");
        expect(parseTime(`${unixNano / 1_000_000_000n}.${nanos}`)).toBe(unixNano);
        expect(parseTime(`${isoMicrosUtc(unixNano).slice(0, 19)}.${nanos}`)).toBe(unixNano);
      }),
    );
  });

  test("comes in as Unix milliseconds too, to the nanosecond", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 20_000_000_001n * 1_000_000n, max: 9_223_372_036_854_774_999n }),
        (unixNano) => {
          const nanos = String(unixNano % 1_000_000n).padStart(6, "0");
          expect(parseTime(`${unixNano / 1_000_000n}.${nanos}`)).toBe(unixNano);
        },
      ),
    );
    expect(parseTime("1767323045123")).toBe(1_767_323_045_123_000_000n);
    expect(parseTime("1767323045123000")).toBeUndefined();
    expect(parseTime("1767323045123000000")).toBeUndefined();
  });

  test("comes in the same at every offset", () => {
    const offsetMinutes = fc.integer({ min: -12 * 60, max: 14 * 60 });
    const unixMs = fc.integer({ min: 24 * 3_600_000, max: 9_000_000_000_000 });
    fc.assert(
      fc.property(unixMs, offsetMinutes, (ms, minutes) => {
        const local = new Date(ms + minutes * 60_000).toISOString().slice(0, 23);
        const size = Math.abs(minutes);
        const offset = [Math.floor(size / 60), size % 60].map((n) => String(n).padStart(2, "0"));
        const text = `${local}${minutes < 0 ? "-" : "+"}${offset.join(":")}`;
        expect(parseTime(text)).toBe(BigInt(ms) * 1_000_000n);
      }),
    );
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
    ["2026-01-02T05:04:05.123456789+02:00", 1_767_323_045_123_456_789n],
    ["2026-01-02T03:04:05.1234567899Z", 1_767_323_045_123_456_789n],
    ["1969-12-31T23:59:59.75Z", -250_000_000n],
    ["2024-02-29T12:00:00+14:00", 1_709_157_600_000_000_000n],
    ["9999-12-31", 9_223_372_036_854_774_999n],
    ["9999-12-31", 9_223_372_036_854_774_999n],
    ["0001-01-01", -9_223_372_036_854_774_999n],
  ])("%s is understood", (text, unixNano) => {
    expect(parseTime(text)).toBe(unixNano);
  });

  test.each([
    "yesterday",
    "",
    "2026-13-45",
    "2024-02-30",
    "2023-02-29T00:00:00Z",
    "2026-04-31 10:00+02:00",
    "2026-01-02T99:00:00Z",
    "2026-01-02T03:04.5",
    "99999999999999999999",
  ])("%j is not a time", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
