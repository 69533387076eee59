import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeJson } from "../../src/otlp/json.js";
import { decodeProtobuf } from "../../src/otlp/protobuf.js";
import { defaultProject } from "../../src/store/index.js";
import { encodeSpans, rowsOf, spanKey } from "../../src/store/row-binary.js";
import { exportOf, type OtlpExport, spanAt, text, toJson, toProtobuf } from "../otlp-message.js";

const idOf = (...byteCounts: number[]) =>
  fc
    .oneof(...byteCounts.map((count) => fc.uint8Array({ minLength: count, maxLength: count })))
    .map((bytes) => Buffer.from(bytes).toString("hex"));
const isZero = (id: string) => /^0*$/.test(id);
const traceId = idOf(16).filter((id) => !isZero(id));
const spanId = idOf(8).filter((id) => !isZero(id));

function message(ids: { traceId: string; spanId: string; parentSpanId: string }): OtlpExport {
  const { traceId, spanId } = ids;
  const links = [{ traceId, spanId, traceState: "", attributes: [] }];
  return exportOf(spanAt(0, 1, { ...ids, links, attributes: [text("key", "value")] }));
}

/** The same ids, each digit in the one case or the other. */
function inMixedCase({ resourceSpans }: OtlpExport, upperDigits: bigint): OtlpExport {
  const mix = (id: string) =>
    [...id].map((digit, at) => ((upperDigits >> BigInt(at)) & 1n ? digit.toUpperCase() : digit));
  return {
    resourceSpans: JSON.parse(JSON.stringify(resourceSpans), (key, value) =>
      key.endsWith("Id") ? mix(value).join("") : value,
    ),
  };
}

const rows = ({ groups }: ReturnType<typeof decodeJson>) =>
  encodeSpans(defaultProject.id, groups).map((span) => ({
    key: spanKey(span),
    rows: rowsOf([span]).map((row) => [...row]),
  }));

describe("the ids of a span", () => {
  test("are the same row as bytes, and as hex in any case", () => {
    const parentSpanId = fc.oneof(spanId, fc.constant(""));
    const ids = fc.record({ traceId, spanId, parentSpanId });
    const upperDigits = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n });
    fc.assert(
      fc.property(ids, upperDigits, (each, upper) => {
        const expected = rows(decodeProtobuf(toProtobuf(message(each))));
        expect(expected).toHaveLength(1);
        expect(rows(decodeJson(toJson(message(each))))).toEqual(expected);
        expect(rows(decodeJson(toJson(inMixedCase(message(each), upper))))).toEqual(expected);
      }),
    );
  });

  test("of a parent that are zeros only are none", () => {
    fc.assert(
      fc.property(fc.record({ traceId, spanId }), (ids) => {
        const root = rows(decodeProtobuf(toProtobuf(message({ ...ids, parentSpanId: "" }))));
        const same = message({ ...ids, parentSpanId: "0".repeat(16) });
        expect(rows(decodeProtobuf(toProtobuf(same)))).toEqual(root);
        expect(rows(decodeJson(toJson(same)))).toEqual(root);
      }),
    );
  });

  test("are refused alike where they have another length or are zero", () => {
    const wrongTrace = fc.oneof(idOf(0, 8, 15, 17, 24, 32), fc.constant("0".repeat(32)));
    const wrongSpan = fc.oneof(idOf(0, 7, 9, 16), fc.constant("0".repeat(16)));
    const ids = fc.oneof(
      fc.record({ traceId: wrongTrace, spanId, parentSpanId: fc.constant("") }),
      fc.record({ traceId, spanId: wrongSpan, parentSpanId: fc.constant("") }),
    );
    fc.assert(
      fc.property(ids, (each) => {
        for (const decoded of [
          decodeProtobuf(toProtobuf(message(each))),
          decodeJson(toJson(message(each))),
        ]) {
          expect(decoded.rejectedSpanCount).toBe(1);
          expect(rows(decoded)).toEqual([]);
        }
      }),
    );
  });
});
