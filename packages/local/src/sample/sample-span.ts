import type { SpanKind } from "@opentelemetry/api";

/** A span of a sample run, and those beneath it. */
export interface SampleSpan {
  readonly name: string;
  readonly kind?: SpanKind;
  readonly attributes: Readonly<Record<string, string | number | boolean | string[]>>;
  /** Pause between the end of the span before it (or its parent's start) and its own start. */
  readonly delayMs?: number;
  /** How long it works by itself, besides its children. */
  readonly selfMs: number;
  readonly children?: readonly SampleSpan[];
  readonly outcome?: Outcome;
}

/** How it ended. Decorated functions and sessions leave their status unset when all goes well. */
export type Outcome =
  | { readonly kind: "ok" }
  | { readonly kind: "raised"; readonly error: RaisedError };

export interface RaisedError {
  readonly type: string;
  readonly message: string;
  readonly stacktrace: string;
}
