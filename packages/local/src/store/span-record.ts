/** Text as it arrived: a string, or UTF-8 bytes that nobody needed to decode on the way to disk. */
export type Text = string | Uint8Array;

export function textToString(text: Text): string {
  return typeof text === "string" ? text : utf8.decode(text);
}

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
