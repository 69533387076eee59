import protobuf from "protobufjs/minimal.js";
import { Utf8 } from "../store/index.js";
import { limitValues } from "./export-limits.js";

export interface Reader extends protobuf.Reader {
  /** Begun so far. */
  messageCount: number;
  spanCount: number;
}

/** Wire types of the protobuf encoding that OTLP traces use. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;

/**
 * How a message is read: for each field, by its tag, what to do with the value that the reader stands
 * on. Fields that are not named are skipped; fields come in any order, so `target` fills up bit by bit.
 */
export type Fields<Target> = Readonly<Record<number, (target: Target, reader: Reader) => void>>;

export const varint = (number: number) => (number << 3) | VARINT;
export const fixed64 = (number: number) => (number << 3) | FIXED64;
export const bytes = (number: number) => (number << 3) | BYTES;

/**
 * Reads the message that a whole body is.
 *
 * @throws {ExportError} when it holds more messages than an export may.
 */
export function readWhole<Target>(
  body: Uint8Array,
  target: Target,
  fields: Fields<Target>,
): Target {
  const reader = Object.assign(protobuf.Reader.create(body), { messageCount: 0, spanCount: 0 });
  return readFields(reader, body.length, { target, fields });
}

/** Reads a message that is a field of another one. */
export function readMessage<Target>(
  reader: Reader,
  target: Target,
  fields: Fields<Target>,
): Target {
  limitValues(++reader.messageCount);
  const length = reader.uint32();
  return readFields(reader, reader.pos + length, { target, fields });
}

function readFields<Target>(
  reader: Reader,
  end: number,
  { target, fields }: { target: Target; fields: Fields<Target> },
): Target {
  while (reader.pos < end) {
    const tag = reader.uint32();
    const read = fields[tag];
    if (read) read(target, reader);
    else reader.skipType(tag & 7);
  }
  if (reader.pos !== end) throw new Error("A field is longer than the message around it.");
  return target;
}

/** A `fixed64`, exactly: nanoseconds since the epoch do not fit a double. */
export function readFixed64(reader: Reader): bigint {
  const at = reader.pos;
  reader.skip(8);
  return new DataView(reader.buf.buffer, reader.buf.byteOffset + at, 8).getBigUint64(0, true);
}

export function readText(reader: Reader): Utf8 {
  const length = reader.uint32();
  const start = reader.pos;
  reader.skip(length);
  return new Utf8(reader.buf, start, reader.pos);
}

export function readHex(reader: Reader): string {
  return Buffer.from(reader.bytes()).toString("hex");
}
