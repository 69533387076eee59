import {
  type SpanGroup,
  type SpanRecord,
  type Text,
  type TextEntries,
  textToString,
  type Utf8,
} from "./span-record.js";

/** The columns of `otel_traces` that an insert fills, in the order that {@link encodeSpans} writes. */
const columns = [
  ["Timestamp", "DateTime64(9)"],
  ["TraceId", "String"],
  ["SpanId", "String"],
  ["ParentSpanId", "String"],
  ["TraceState", "String"],
  ["SpanName", "String"],
  ["SpanKind", "String"],
  ["ServiceName", "String"],
  ["ResourceAttributes", "Map(String, String)"],
  ["ScopeName", "String"],
  ["ScopeVersion", "String"],
  ["SpanAttributes", "Map(String, String)"],
  ["Duration", "UInt64"],
  ["StatusCode", "String"],
  ["StatusMessage", "String"],
  ["Events.Timestamp", "Array(DateTime64(9))"],
  ["Events.Name", "Array(String)"],
  ["Events.Attributes", "Array(Map(String, String))"],
  ["Links.TraceId", "Array(String)"],
  ["Links.SpanId", "Array(String)"],
  ["Links.TraceState", "Array(String)"],
  ["Links.Attributes", "Array(Map(String, String))"],
] as const;

/** Quoted, for SQL. */
export const columnNames = columns.map(([name]) => `\`${name}\``);

/** `(Timestamp, TraceId, …)` for `INSERT INTO otel_traces`. */
export const insertColumns = `(${columnNames.join(", ")})`;

/** The same columns with their types, for reading the encoded rows as a table. */
export const rowStructure = columns.map(([name, type]) => `\`${name}\` ${type}`).join(", ");

/** Resource attributes that name a project: the token decides, whatever the sender claims. */
const projectAttributes = ["agentops.project.id", "ProjectId"];

/** What tells one span from all others. */
export interface SpanIdentity {
  readonly projectId: string;
  readonly traceId: string;
  readonly spanId: string;
}

/** One row of ClickHouse RowBinary. Many wait at a time, so it is small. */
export interface EncodedSpan extends SpanIdentity {
  readonly startUnixNano: bigint;
  /** The row is a stretch of these; the others are those of the spans it came with. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The rows of these spans; those that lie one after the other are one piece. */
export function rowsOf(spans: readonly EncodedSpan[]): Uint8Array[] {
  const pieces: { bytes: Uint8Array; start: number; end: number }[] = [];
  for (const { bytes, start, end } of spans) {
    const last = pieces.at(-1);
    if (last?.bytes === bytes && last.end === start) last.end = end;
    else pieces.push({ bytes, start, end });
  }
  return pieces.map(({ bytes, start, end }) => bytes.subarray(start, end));
}

export function byteLength(spans: readonly EncodedSpan[]): number {
  return spans.reduce((sum, { start, end }) => sum + end - start, 0);
}

export function spanKey({ projectId, traceId, spanId }: SpanIdentity): string {
  return `${projectId}/${traceId}/${spanId}`;
}

/**
 * Encodes spans of one project as RowBinary: of the formats the engine reads it is the cheapest to
 * write from bytes and, measured, takes a sixth of the parsing time of JSON and a fifth of TSV.
 */
export function encodeSpans(projectId: string, groups: readonly SpanGroup[]): EncodedSpan[] {
  return groups.flatMap((group) => encodeGroup(projectId, group));
}

function encodeGroup(projectId: string, group: SpanGroup): EncodedSpan[] {
  const origin = encodeOrigin(projectId, group);
  const writer = new RowBinaryWriter(group.spans.length * TYPICAL_SPAN_BYTES);
  const ends = group.spans.map((span) => {
    writeSpan(writer, span, origin);
    return writer.length;
  });
  const bytes = writer.bytes();
  return group.spans.map(({ traceId, spanId, startUnixNano }, index) => ({
    projectId,
    traceId,
    spanId,
    startUnixNano,
    bytes,
    start: ends[index - 1] ?? 0,
    end: ends[index] ?? 0,
  }));
}

/** The columns that say where a span comes from: the same for a whole group, and beside each other. */
function encodeOrigin(projectId: string, { resource, scope }: SpanGroup): Uint8Array {
  const writer = new RowBinaryWriter(TYPICAL_SPAN_BYTES);
  writer.text(resource.serviceName);
  writer.map(owned(resource.attributes, projectId));
  writer.text(scope.name);
  writer.text(scope.version);
  return writer.bytes();
}

function writeSpan(writer: RowBinaryWriter, span: SpanRecord, origin: Uint8Array): void {
  writer.int64(span.startUnixNano);
  writer.text(span.traceId);
  writer.text(span.spanId);
  writer.text(span.parentSpanId);
  writer.text(span.traceState);
  writer.text(span.name);
  writer.text(span.kind);
  writer.encoded(origin);
  writer.map(span.attributes);
  writer.int64(span.durationNano);
  writer.text(span.status);
  writer.text(span.statusMessage);
  writer.array(span.events, (event) => writer.int64(event.timeUnixNano));
  writer.array(span.events, (event) => writer.text(event.name));
  writer.array(span.events, (event) => writer.map(event.attributes));
  writer.array(span.links, (link) => writer.text(link.traceId));
  writer.array(span.links, (link) => writer.text(link.spanId));
  writer.array(span.links, (link) => writer.text(link.traceState));
  writer.array(span.links, (link) => writer.map(link.attributes));
}

function owned(attributes: TextEntries, projectId: string): TextEntries {
  const others = attributes.filter(([key]) => !projectAttributes.includes(textToString(key)));
  return [...others, ...projectAttributes.map((name) => [name, projectId] as const)];
}

/** How much room a span is given at first. */
const TYPICAL_SPAN_BYTES = 4096;
/** A LEB128 length never needs more for sizes below 2^35. */
const MAX_VARINT_BYTES = 5;
/** Up to here a loop is faster than a call that copies. */
const MAX_LOOP_BYTES = 64;

class RowBinaryWriter {
  #buffer: Buffer;
  length = 0;

  constructor(initialBytes: number) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.length = this.#buffer.writeBigUInt64LE(value, this.length);
  }

  encoded(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.length);
    this.length += value.length;
  }

  text(value: Text): void {
    const size = typeof value === "string" ? Buffer.byteLength(value) : value.length;
    this.#reserve(size + MAX_VARINT_BYTES);
    this.#varint(size);
    if (typeof value === "string") this.#buffer.write(value, this.length);
    else this.#copy(value);
    this.length += size;
  }

  #copy({ message, start, end }: Utf8): void {
    if (end - start > MAX_LOOP_BYTES) {
      this.#buffer.set(message.subarray(start, end), this.length);
      return;
    }
    for (let from = start, to = this.length; from < end; from++, to++) {
      this.#buffer[to] = message[from] ?? 0;
    }
  }

  map(entries: TextEntries): void {
    this.array(entries, ([key, value]) => {
      this.text(key);
      this.text(value);
    });
  }

  array<Item>(items: readonly Item[], write: (item: Item) => void): void {
    this.#reserve(MAX_VARINT_BYTES);
    this.#varint(items.length);
    for (const item of items) write(item);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.length++] = rest;
  }

  #reserve(size: number): void {
    if (this.length + size <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.length + size));
    this.#buffer.copy(grown, 0, 0, this.length);
    this.#buffer = grown;
  }
}
