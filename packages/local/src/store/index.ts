export { type ClickHouseServer, hasTraces, placeOf, type StoreLocation } from "./database.js";
export { DiskFullError, RESERVED_BYTES, requireRoom } from "./disk-space.js";
export type { ProjectMetrics, ProjectMetricsQuery, TraceFigures } from "./project-metrics.js";
export { defaultProject, type Project } from "./projects.js";
export { type AttributeFilter, type SpanFilter, spanStatuses } from "./span-filter.js";
export { MAX_PAGE_SPANS, type SpanGroupPosition, type SpanGroupQuery } from "./span-groups.js";
export {
  type MetricsGroup,
  type MetricsQuery,
  type MetricsRow,
  spanMetricsGroups,
  traceMetricsGroups,
} from "./span-metrics.js";
export {
  MAX_UNIX_NANO,
  type ResourceRecord,
  type ScopeRecord,
  type SpanEventRecord,
  type SpanGroup,
  type SpanLinkRecord,
  type SpanRecord,
  spanKindNames,
  statusNames,
  type Text,
  type TextEntries,
  textToString,
  Utf8,
} from "./span-record.js";
export type { SpanPosition, SpanQuery } from "./span-search.js";
export type {
  FlatAttributes,
  SpanBody,
  SpanHead,
  SpanUsage,
  StoredSpan,
  TraceHead,
} from "./spans.js";
export { MemoryLimitError } from "./statements.js";
export { openStore, type Store } from "./store.js";
export { type TraceOrder, type TraceQuery, traceOrders } from "./trace-list.js";
export type { TraceStatus } from "./trace-status.js";
export { createTraceSums, type TraceSums } from "./trace-sums.js";
export type { TraceTotals } from "./trace-totals.js";
export type { TraceSummary } from "./traces.js";
export type { Upload, UploadKind } from "./uploads.js";
export type { UsageFigures } from "./usage.js";
