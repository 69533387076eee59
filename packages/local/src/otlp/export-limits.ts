import type { SpanGroup, SpanRecord, TextEntries } from "../store/index.js";
import { ExportError } from "./export-error.js";

/**
 * What one export may measure, both as sent and once inflated. The Python SDK sends up to 512 spans at
 * a time; an OpenTelemetry collector accepts 20 MiB.
 */
export const MAX_EXPORT_BYTES = 64 * 1024 * 1024;

/** A collector sends some 8,000 at a time. */
export const MAX_EXPORT_SPANS = 65_536;

/**
 * Messages of protobuf, or what is as much in JSON: one may be two bytes of the body, and takes some 300
 * while it is decoded.
 */
export const MAX_EXPORT_VALUES = 1_048_576;

/**
 * Texts of its rows: each span's repeats its resource and scope, and lists and maps are text in JSON, where a
 * byte may become six. An export of every largest measure fits into what may wait.
 */
export const MAX_ROW_BYTES = 128 * 1024 * 1024;

/** A month is a partition: each takes the engine some 4 ms, while other exports wait. */
export const MAX_EXPORT_MONTHS = 120;
const MONTH_NANOS = 30 * 24 * 3600e9;

export function tooLarge(limit: string): ExportError {
  return new ExportError(
    413,
    `An export may ${limit} at most; send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE).`,
  );
}

/** @throws {ExportError} when so many are too many: call it before they are decoded. */
export function limitValues(count: number): void {
  if (count > MAX_EXPORT_VALUES) throw tooLarge(`hold ${MAX_EXPORT_VALUES} values`);
}

/** @throws {ExportError} likewise. */
export function limitSpans(count: number): void {
  if (count > MAX_EXPORT_SPANS) throw tooLarge(`hold ${MAX_EXPORT_SPANS} spans`);
}

/** @throws {ExportError} */
export function limitMonths(groups: readonly SpanGroup[]): void {
  const months = new Set<number>();
  for (const { spans } of groups) {
    for (const span of spans) months.add(Math.floor(Number(span.startUnixNano) / MONTH_NANOS));
  }
  if (months.size > MAX_EXPORT_MONTHS) {
    throw tooLarge(`hold spans of ${MAX_EXPORT_MONTHS} months`);
  }
}

/**
 * What the texts of its rows take, a character counted as a byte.
 *
 * @throws {ExportError}
 */
export function rowBytes(groups: readonly SpanGroup[]): number {
  const bytes = sum(groups, ({ resource, scope, spans }) => {
    const origin = entryBytes(resource) + scope.name.length + scope.version.length;
    return origin * spans.length + sum(spans, spanBytes);
  });
  if (bytes <= MAX_ROW_BYTES) return bytes;
  throw tooLarge(`be ${MAX_ROW_BYTES} bytes once each span has its resource,`);
}

function spanBytes(span: SpanRecord): number {
  const own = span.name.length + span.statusMessage.length + span.traceState.length;
  return own + entryBytes(span) + sum(span.events, entryBytes) + sum(span.links, entryBytes);
}

function entryBytes({ attributes }: { readonly attributes: TextEntries }): number {
  return sum(attributes, ([key, value]) => key.length + value.length);
}

function sum<Item>(items: readonly Item[], size: (item: Item) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
