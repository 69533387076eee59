/**
 * Text as it arrived: a string, or UTF-8 bytes that nobody needed to decode on the way to disk. A span
 * has forty of them; typed arrays of their own take a sixth more CPU to decode, price and encode it.
 */
export type Text = string | Utf8;

/** A stretch of the bytes that a message came as. */
export class Utf8 {
  readonly message: Uint8Array;
  readonly start: number;
  readonly end: number;

  constructor(message: Uint8Array, start: number, end: number) {
    this.message = message;
    this.start = start;
    this.end = end;
  }

  get length(): number {
    return this.end - this.start;
  }

  toString(): string {
    return utf8.decode(this.message.subarray(this.start, this.end));
  }
}

export const textToString = (text: Text): string => text.toString();

const utf8 = new TextDecoder();

/** Keys and values of a `Map(String, String)`. Values are already text, as AgentOps stores them. */
export type TextEntries = readonly (readonly [Text, Text])[];

/** Spans that one instrumentation scope of one process recorded. */
export interface SpanGroup {
  readonly resource: ResourceRecord;
  readonly scope: ScopeRecord;
  readonly spans: readonly SpanRecord[];
}

/** The process that recorded the spans. */
export interface ResourceRecord {
  readonly serviceName: Text;
  readonly attributes: TextEntries;
}

export interface ScopeRecord {
  readonly name: Text;
  readonly version: Text;
}

/** Times are stored as signed 64-bit nanoseconds. */
export const MAX_UNIX_NANO = 2n ** 63n - 1n;

/** One span on its way into the store. Ids are lower-case hex; a root has an empty `parentSpanId`. */
export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: Text;
  readonly name: Text;
  readonly kind: SpanKindName;
  readonly startUnixNano: bigint;
  readonly durationNano: bigint;
  readonly status: StatusName;
  readonly statusMessage: Text;
  readonly attributes: TextEntries;
  readonly events: readonly SpanEventRecord[];
  readonly links: readonly SpanLinkRecord[];
}

export interface SpanEventRecord {
  readonly timeUnixNano: bigint;
  readonly name: Text;
  readonly attributes: TextEntries;
}

export interface SpanLinkRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: Text;
  readonly attributes: TextEntries;
}

/** The spelling AgentOps' collector stores; the index is the OTLP enum value. */
export const spanKindNames = [
  "Unspecified",
  "Internal",
  "Server",
  "Client",
  "Producer",
  "Consumer",
] as const;
export type SpanKindName = (typeof spanKindNames)[number];

/** The spelling AgentOps' collector stores; the index is the OTLP enum value. */
export const statusNames = ["Unset", "Ok", "Error"] as const;
export type StatusName = (typeof statusNames)[number];
