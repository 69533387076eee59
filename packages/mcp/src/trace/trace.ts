/**
 * The domain: one trace and its spans, in OpenTelemetry's words.
 *
 * Times are milliseconds since the Unix epoch as a double: the API gives microseconds, and a double
 * holds today's epoch to a quarter of a microsecond.
 */

export interface Trace {
  readonly traceId: string;
  readonly projectId: string | undefined;
  readonly tags: readonly string[];
  /** Ordered by start time; a span appears once even if the server returned it twice. */
  readonly spans: readonly Span[];
  /** True when the account's plan withheld attributes from this trace. */
  readonly isTruncatedByPlan: boolean;
  /** Spans that could not be read: of them only name, times and status are known. */
  readonly unreadSpanIds: ReadonlySet<string>;
}

export interface Span {
  readonly spanId: string;
  /** Undefined on a root span. The parent may be missing from the trace. */
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly spanKind: SpanKind;
  readonly status: SpanStatus;
  readonly statusMessage: string;
  readonly serviceName: string;
  readonly startUnixMs: number;
  readonly durationMs: number;
  /** Flat, dotted keys as the SDK emitted them (`gen_ai.prompt.0.content`); every value is text. */
  readonly attributes: Attributes;
  readonly resourceAttributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
}

export interface SpanEvent {
  readonly name: string;
  readonly timeUnixMs: number;
  readonly attributes: Attributes;
}

/** A span of this or another trace that has to do with this one, such as the message it consumes. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

export type Attributes = Readonly<Record<string, string>>;

export type SpanKind = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";

export type SpanStatus = "unset" | "ok" | "error";

export function endUnixMs(span: Span): number {
  return span.startUnixMs + span.durationMs;
}
