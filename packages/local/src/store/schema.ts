import {
  attribute,
  derivedColumns,
  isUnpriced,
  searchText,
  usageFigures,
} from "./derived-columns.js";
import { createTable, createView, type Layout, type Table, type View } from "./layout.js";
import { spanOrder } from "./spans.js";
import { endState } from "./trace-status.js";

/**
 * The tables. `otel_traces` has AgentOps' own columns, so what is written against AgentOps' database
 * runs here; what follows them is derived by the engine on insert.
 */

/** Smaller parts keep all columns in one file: as one file per column, most of an insert is waiting for fsync. */
const WIDE_PART_BYTES = 128 * 1024 * 1024;

/** Of {@link traceSummary}, which lists scan by few of its columns: those come three times as fast from their own files. */
const WIDE_SUMMARY_BYTES = 10 * 1024 * 1024;

/**
 * How many parts of a size become one (the engine's own: 5). A merge compresses all text again and builds
 * the text index, which is as much work as the insert was, and after small inserts the engine merges the
 * small tables all the time; measured with one exporter, a fifth less CPU per span.
 */
const MERGED_PARTS = 32;

/** A merge holds that much of each part that it reads (the engine's own: 10 MB), and as many rows. */
const MERGED_ROWS = 512;
const GRANULE_BYTES = 2 * 1024 * 1024;

/** Of a span, a read of a few takes whole granules: with the engine's own 8,192 a trace of short spans took 2 ms more. */
const GRANULE_SPANS = 1024;

/** An insert is acknowledged from the first two settings on: the rows are in the file, the file in its folder. */
const durable = {
  fsync_after_insert: 1,
  fsync_part_directory: 1,
  min_bytes_for_wide_part: WIDE_PART_BYTES,
  merge_selector_base: MERGED_PARTS,
};

/** Finds words, and parts of words, without reading attributes. Made when parts are merged, not on insert. */
const textIndex = "idx_text";

/** For inserts into `otel_traces`: spans may lie in any number of months, and merges build the text index. */
export const insertSettings = {
  max_partitions_per_insert_block: "0",
  exclude_materialize_skip_indexes_on_insert: textIndex,
} as const;

// ZSTD where text is; for the many small columns, setting it up took a fifth of a small insert.
const otelTraces: Table = {
  name: "otel_traces",
  columns: `
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  project_id LowCardinality(String) MATERIALIZED ResourceAttributes['agentops.project.id'],
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String,
  SpanName LowCardinality(String),
  SpanKind LowCardinality(String),
  ServiceName LowCardinality(String),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String,
  ScopeVersion String,
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64,
  StatusCode LowCardinality(String),
  StatusMessage String CODEC(ZSTD(1)),
  Events Nested (
    Timestamp DateTime64(9),
    Name LowCardinality(String),
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  Links Nested (
    TraceId String,
    SpanId String,
    TraceState String,
    Attributes Map(LowCardinality(String), String)
  ) CODEC(ZSTD(1)),
  ${derivedColumns.map(([name, type, expression]) => `${name} ${type} MATERIALIZED ${expression}`).join(",\n  ")},
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX ${textIndex} ${searchText} TYPE text(tokenizer = 'splitByNonAlpha')`,
  engine: "MergeTree",
  order: "PARTITION BY toYYYYMM(Timestamp) ORDER BY (project_id, Timestamp)",
  settings: {
    ...durable,
    index_granularity: GRANULE_SPANS,
    index_granularity_bytes: GRANULE_BYTES,
    merge_max_block_size: MERGED_ROWS,
  },
  shardBy: "cityHash64(TraceId)",
};

/**
 * Usage is summed by what reported it: CrewAI's root, and others that wrap model calls, report the sum
 * of what is below them, which must not be added to it. See {@link traceUsage}.
 */
const reporters = {
  ModelCalls: "AgentopsKind = 'llm'",
  Tools: "AgentopsKind = 'tool'",
  Wrappers: "AgentopsKind NOT IN ('llm', 'tool')",
};

const summedColumns = Object.entries(reporters).flatMap(([reporter, condition]) =>
  usageFigures.map(([figure, type]) => ({ column: reporter + figure, figure, type, condition })),
);

/**
 * One usage figure of a trace, from its summary: what its model calls report or what wraps them
 * reports, whichever is more, and on top what tools cost themselves.
 */
export const traceUsage = (figure: string) =>
  `greatest(sum(ModelCalls${figure}), sum(Wrappers${figure})) + sum(Tools${figure})`;

/** What a summary has of the root. */
const rootType = "Tuple(SpanName String, ServiceName String, Tags String)";

/**
 * Of a trace, from its summary: calls that report tokens but no cost. Wrappers count as one more where
 * one reports more tokens than all model calls do: no span reports what it adds.
 */
export const traceUnpricedCount =
  "sum(UnpricedCalls) + toUInt64(max(UnpricedWrapperTokens) > sum(ModelCallsTotalTokens))";

/**
 * One row per trace once merged: the list, the totals and a trace's place in time come from here. Every
 * read of all rows compares the project, which as a String took longer than the sums did.
 */
const traceSummary: Table = {
  name: "trace_summary",
  columns: `
  project_id LowCardinality(String),
  TraceId String,
  StartTime SimpleAggregateFunction(min, DateTime64(9)),
  LastStartTime SimpleAggregateFunction(max, DateTime64(9)),
  EndTime SimpleAggregateFunction(max, DateTime64(9)),
  SpanCount SimpleAggregateFunction(sum, UInt64),
  OkCount SimpleAggregateFunction(sum, UInt64),
  ErrorCount SimpleAggregateFunction(sum, UInt64),
  EndState SimpleAggregateFunction(max, UInt8),
  PricedCount SimpleAggregateFunction(sum, UInt64),
  UnpricedCalls SimpleAggregateFunction(sum, UInt64),
  UnpricedWrapperTokens SimpleAggregateFunction(max, UInt64),
  ${summedColumns.map(({ column, type }) => `${column} SimpleAggregateFunction(sum, ${type})`).join(",\n  ")},
  Root AggregateFunction(argMin, ${rootType}, Tuple(UInt8, DateTime64(9), Int64, String))`,
  engine: "AggregatingMergeTree",
  order: "ORDER BY (project_id, TraceId)",
  settings: {
    ...durable,
    index_granularity: 512,
    min_bytes_for_wide_part: WIDE_SUMMARY_BYTES,
  },
  shardBy: "cityHash64(TraceId)",
};

/**
 * What {@link traceSummary} holds of some spans. The root is the parentless span; while that one has
 * not arrived (children are exported first) the earliest span stands in for it. Of several it is the one
 * that is read first.
 */
export const summarizeSpans = (from: string) => `
SELECT
  project_id,
  TraceId,
  min(Timestamp) AS StartTime,
  max(Timestamp) AS LastStartTime,
  max(Timestamp + toIntervalNanosecond(Duration)) AS EndTime,
  count() AS SpanCount,
  countIf(StatusCode = 'Ok') AS OkCount,
  countIf(StatusCode = 'Error') AS ErrorCount,
  max(${endState}) AS EndState,
  countIf(HasCost) AS PricedCount,
  countIf(${isUnpriced} AND NOT (${reporters.Wrappers})) AS UnpricedCalls,
  maxIf(TotalTokens, ${isUnpriced} AND ${reporters.Wrappers}) AS UnpricedWrapperTokens,
  ${summedColumns.map(({ column, figure, condition }) => `sumIf(spans.${figure}, ${condition}) AS ${column}`).join(",\n  ")},
  argMinState(
    CAST((SpanName, ServiceName, ${attribute("agentops.tags")}), '${rootType}'),
    (ParentSpanId != '', ${spanOrder})
  ) AS Root
FROM ${from} AS spans`;

/** Where a span is, by its id alone: otel_traces is ordered by time and knows nothing of ids. */
const spanLookup: Table = {
  name: "span_lookup",
  columns: `
  project_id LowCardinality(String) CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  Timestamp DateTime64(9) CODEC(ZSTD(1))`,
  engine: "MergeTree",
  order: "ORDER BY SpanId",
  settings: { ...durable, index_granularity: 512 },
  shardBy: "cityHash64(TraceId)",
};

export const locateSpans = (from: string) =>
  `SELECT project_id, SpanId, TraceId, Timestamp FROM ${from}`;

const projects: Table = {
  name: "projects",
  columns: `
  id String,
  api_key String,
  name String,
  environment LowCardinality(String),
  created_at DateTime DEFAULT now()`,
  engine: "MergeTree",
  order: "ORDER BY id",
  settings: durable,
  shardBy: "cityHash64(id)",
};

/**
 * What an SDK uploads beside its spans. In a table rather than in files, so that it is where the traces
 * are: durable as they are, and read by every server of a cluster.
 */
const uploads: Table = {
  name: "uploads",
  columns: `
  project_id String,
  kind LowCardinality(String),
  id String,
  size UInt64,
  content_base64 String CODEC(ZSTD(1)),
  uploaded_at DateTime64(6) DEFAULT now64(6)`,
  engine: "ReplacingMergeTree(uploaded_at)",
  order: "ORDER BY (project_id, kind, id)",
  settings: durable,
  shardBy: "cityHash64(id)",
};

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Each may run twice: a crash between two of them leaves the version unrecorded. */
  readonly statements: readonly string[];
}

const summaryView: View = {
  name: "trace_summary_view",
  from: "otel_traces",
  to: "trace_summary",
  select: (from) => `${summarizeSpans(from)} GROUP BY project_id, TraceId`,
};

const lookupView: View = {
  name: "span_lookup_view",
  from: "otel_traces",
  to: "span_lookup",
  select: locateSpans,
};

export function migrationsFor(layout: Layout): readonly Migration[] {
  const tables = (...made: Table[]) => made.flatMap((table) => createTable(table, layout));
  const views = (...made: View[]) => made.map((view) => createView(view, layout));
  return [
    {
      version: 1,
      name: "spans, their summary per trace, and projects",
      statements: [
        ...tables(otelTraces, traceSummary, spanLookup, projects),
        ...views(summaryView, lookupView),
      ],
    },
    { version: 2, name: "uploads", statements: tables(uploads) },
  ];
}

/** What was done so far. */
export const schemaMigrations: Table = {
  name: "schema_migrations",
  columns: `
  version UInt32,
  name String,
  applied_at DateTime DEFAULT now()`,
  engine: "MergeTree",
  order: "ORDER BY version",
  settings: durable,
  shardBy: "version",
};
