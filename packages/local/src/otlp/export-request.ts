import { MAX_UNIX_NANO, type SpanGroup, type SpanRecord } from "../store/index.js";
import { limitMonths, rowBytes } from "./export-limits.js";

/** What an `ExportTraceServiceRequest` of either encoding comes down to. */
export interface ExportRequest {
  /** None is without spans. */
  readonly groups: readonly SpanGroup[];
  /** Spans that cannot be stored: an id of the wrong length or of zeros only, a time past 2262, a field of another type. */
  readonly rejectedSpanCount: number;
  /** What it takes in memory as rows. */
  readonly rowBytes: number;
}

export const validTraceId = /^(?!0{32})[0-9a-f]{32}$/;
export const validSpanId = /^(?!0{16})[0-9a-f]{16}$/;

/** @throws {ExportError} when it is more than an export may be. */
export function exportRequest(decoded: readonly SpanGroup[]): ExportRequest {
  const groups = decoded
    .map((group) => ({ ...group, spans: group.spans.filter(isStorable) }))
    .filter(({ spans }) => spans.length > 0);
  limitMonths(groups);
  return {
    groups,
    rejectedSpanCount: spanCount(decoded) - spanCount(groups),
    rowBytes: rowBytes(groups),
  };
}

function spanCount(groups: readonly SpanGroup[]): number {
  return groups.reduce((count, { spans }) => count + spans.length, 0);
}

function isStorable(span: SpanRecord): boolean {
  return (
    validTraceId.test(span.traceId) &&
    validSpanId.test(span.spanId) &&
    span.startUnixNano + span.durationNano <= MAX_UNIX_NANO &&
    span.events.every(({ timeUnixNano }) => timeUnixNano <= MAX_UNIX_NANO)
  );
}

const ZERO_SPAN_ID = "0".repeat(16);

/** Zeros only are no id, as none is: the span is a root. */
export function parentSpanId(hex: string): string {
  return hex === ZERO_SPAN_ID ? "" : hex;
}

/** A span that ends before it starts (a clock was set back) has no duration rather than a huge one. */
export function durationNano(startUnixNano: bigint, endUnixNano: bigint): bigint {
  return endUnixNano > startUnixNano ? endUnixNano - startUnixNano : 0n;
}
