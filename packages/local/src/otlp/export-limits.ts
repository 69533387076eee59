import type {
  SpanEventRecord,
  SpanGroup,
  SpanLinkRecord,
  SpanRecord,
  Text,
  TextEntries,
} from "../store/index.js";
import { ExportError } from "./export-error.js";

/**
 * What one export may measure, both as sent and once inflated. The Python SDK sends up to 512 spans at
 * a time; an OpenTelemetry collector accepts 20 MiB.
 */
export const MAX_EXPORT_BYTES = 64 * 1024 * 1024;

/** A collector sends some 8,000 at a time. */
export const MAX_EXPORT_SPANS = 65_536;

/**
 * Messages of protobuf, or objects of JSON: one may be two bytes of the body, and takes some 300 while it is
 * decoded.
 */
export const MAX_EXPORT_VALUES = 1_048_576;

/**
 * As rows: each span's repeats its resource and scope, and lists and maps are text in JSON, where a byte may
 * become six. An export of every largest measure fits into what may wait.
 */
export const MAX_ROW_BYTES = 128 * 1024 * 1024;

/** A month of the calendar is a partition: each takes the engine some 4 ms, while other exports wait. */
export const MAX_EXPORT_MONTHS = 120;
const DAY_MS = 24 * 3_600_000;
const DAY_NANOS = DAY_MS * 1e6;

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
  const days = new Set<number>();
  for (const { spans } of groups) {
    for (const span of spans) days.add(Math.floor(Number(span.startUnixNano) / DAY_NANOS));
  }
  const months = new Set([...days].map(monthOf));
  if (months.size > MAX_EXPORT_MONTHS) {
    throw tooLarge(`hold spans of ${MAX_EXPORT_MONTHS} months`);
  }
}

/** `2026-01` */
function monthOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, "2026-01".length);
}

/** What a span, event or link takes beside its texts: its ids and times. */
const RECORD_BYTES = 100;
/** What a text takes beside itself: the engine keeps where each ends. */
const TEXT_BYTES = 8;

/**
 * What it takes in memory as rows.
 *
 * @throws {ExportError}
 */
export function rowBytes(groups: readonly SpanGroup[]): number {
  const bytes = sum(groups, ({ resource, scope, spans }) => {
    const origin = sum([resource.serviceName, scope.name, scope.version], textBytes);
    return (origin + entryBytes(resource)) * spans.length + sum(spans, spanBytes);
  });
  if (bytes <= MAX_ROW_BYTES) return bytes;
  throw tooLarge(`be ${MAX_ROW_BYTES} bytes once each span has its resource,`);
}

function spanBytes(span: SpanRecord): number {
  const { name, statusMessage, traceState, events, links } = span;
  const own = RECORD_BYTES + sum([name, statusMessage, traceState], textBytes) + entryBytes(span);
  return own + sum(events, recordBytes) + sum(links, recordBytes);
}

function recordBytes(record: SpanEventRecord | SpanLinkRecord): number {
  const text = "name" in record ? record.name : record.traceState;
  return RECORD_BYTES + textBytes(text) + entryBytes(record);
}

function entryBytes({ attributes }: { readonly attributes: TextEntries }): number {
  return sum(attributes, ([key, value]) => textBytes(key) + textBytes(value));
}

function textBytes(text: Text): number {
  return TEXT_BYTES + (typeof text === "string" ? Buffer.byteLength(text) : text.length);
}

function sum<Item>(items: readonly Item[], size: (item: Item) => number): number {
  return items.reduce((total, item) => total + size(item), 0);
}
