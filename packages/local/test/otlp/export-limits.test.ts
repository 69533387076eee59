import { expect, test } from "vitest";
import { MAX_EXPORT_VALUES } from "../../src/otlp/export-limits.js";
import { decodeJson } from "../../src/otlp/json.js";
import { decodeProtobuf } from "../../src/otlp/protobuf.js";
import { writeLines } from "../../src/otlp/write-lines.js";
import {
  empties,
  exportOf,
  field,
  many,
  newTraceId,
  type OtlpSpan,
  spanAt,
  toJson,
  toProtobuf,
} from "../otlp-message.js";

/** Apart from the receiver's: decoding so much takes seconds, in which a server in this process answers nobody. */

const traceId = newTraceId();
const ids = Buffer.concat([field(1, Buffer.alloc(16, 1)), field(2, Buffer.alloc(8, 1))]);
const inSpan = (content: Uint8Array) => field(1, field(2, field(2, Buffer.concat([ids, content]))));

test("groups without a span that can be stored are dropped", () => {
  const groupOf = (...spans: OtlpSpan[]) => exportOf(...spans).resourceSpans;
  const rejected = groupOf(spanAt(0, 1, { traceId: "" }));
  const good = groupOf(spanAt(0, 1, { traceId }));
  const message = { resourceSpans: [...good, ...rejected, ...groupOf(), ...rejected] };
  for (const decoded of [decodeProtobuf(toProtobuf(message)), decodeJson(toJson(message))]) {
    expect(decoded.groups).toHaveLength(1);
    expect(decoded.rejectedSpanCount).toBe(2);
  }
});

test("what came in as protobuf may come in again as it is exported", () => {
  const count = MAX_EXPORT_VALUES / 2;
  const decoded = decodeProtobuf(inSpan(empties(11, count)));
  const [line = ""] = writeLines(decoded.groups);
  const [group] = decodeJson(new TextEncoder().encode(line)).groups;
  expect(group?.spans[0]?.events).toHaveLength(count);
});

test("half as many attributes as values are taken, and not many more, in either encoding", () => {
  const anAttribute = field(9, field(2, new Uint8Array()));
  const idsInJson = `"traceId":"${"01".repeat(16)}","spanId":"${"01".repeat(8)}"`;
  const decoders = [
    (count: number) => decodeProtobuf(inSpan(many(anAttribute, count))),
    (count: number) => {
      const attributes = Array(count).fill('{"value":{}}').join();
      const body = `{"resourceSpans":[{"scopeSpans":[{"spans":[{${idsInJson},"attributes":[${attributes}]}]}]}]}`;
      return decodeJson(new TextEncoder().encode(body));
    },
  ];
  const half = MAX_EXPORT_VALUES / 2;
  for (const decode of decoders) {
    expect(decode(half - 100).groups[0]?.spans[0]?.attributes).toHaveLength(half - 100);
    expect(() => decode(half + 100)).toThrow("values at most");
  }
});
