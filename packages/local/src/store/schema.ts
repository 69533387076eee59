/**
 * The tables. `otel_traces` has AgentOps' own columns, so what is written against AgentOps' database
 * runs here; what follows them is derived by the engine on insert, because summing tokens over ten
 * million spans must not read ten million prompts.
 */

const attribute = (key: string) => `SpanAttributes['${key}']`;
const firstOf = (...keys: string[]) =>
  `coalesce(${keys.map((key) => `nullIf(${attribute(key)}, '')`).join(", ")}, '')`;

/** Far above any span's real figures, and low enough that sums over 10^9 spans overflow nothing. */
export const MAX_SPAN_TOKENS = 1_000_000_000;
export const MAX_SPAN_COST_USD = 1_000_000;

/** Attribute text is whatever an SDK wrote: `12`, `12.0`, `None`, `1e308`. What cannot be true counts as 0. */
const figure = (text: string, max: number) =>
  `if(toFloat64OrZero(${text}) BETWEEN 0 AND ${max}, toFloat64OrZero(${text}), 0)`;
const count = (text: string) => `accurateCastOrDefault(${figure(text, MAX_SPAN_TOKENS)}, 'UInt64')`;
const usd = (text: string) => figure(text, MAX_SPAN_COST_USD);

const derivedColumns = [
  ["Model", "LowCardinality(String)", firstOf("gen_ai.response.model", "gen_ai.request.model")],
  ["AgentopsKind", "LowCardinality(String)", attribute("agentops.span.kind")],
  [
    "PromptTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens")),
  ],
  [
    "CompletionTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens")),
  ],
  [
    "CacheReadTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens")),
  ],
  [
    "ReasoningTokens",
    "UInt64",
    count(firstOf("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens")),
  ],
  // Cached and reasoning tokens are part of the prompt and the completion: adding them counts twice.
  [
    "TotalTokens",
    "UInt64",
    `if(${attribute("gen_ai.usage.total_tokens")} != '', ${count(attribute("gen_ai.usage.total_tokens"))}, PromptTokens + CompletionTokens)`,
  ],
  ["PromptCost", "Float64", usd(attribute("gen_ai.usage.prompt_cost"))],
  ["CompletionCost", "Float64", usd(attribute("gen_ai.usage.completion_cost"))],
  [
    "TotalCost",
    "Float64",
    `if(${attribute("gen_ai.usage.total_cost")} != '', ${usd(attribute("gen_ai.usage.total_cost"))}, PromptCost + CompletionCost)`,
  ],
] as const;

/** The derived figures that a summary sums, and the API answers under `metrics`. */
const summedColumns = derivedColumns.filter(([, type]) => type === "UInt64" || type === "Float64");

/** An insert is acknowledged from these settings on: the rows are in the file, the file in its folder. */
const durable = "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1";

const otelTraces = `
CREATE TABLE IF NOT EXISTS otel_traces (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  project_id String MATERIALIZED ResourceAttributes['agentops.project.id'] CODEC(ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  ParentSpanId String CODEC(ZSTD(1)),
  TraceState String CODEC(ZSTD(1)),
  SpanName LowCardinality(String) CODEC(ZSTD(1)),
  SpanKind LowCardinality(String) CODEC(ZSTD(1)),
  ServiceName LowCardinality(String) CODEC(ZSTD(1)),
  ResourceAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  ScopeName String CODEC(ZSTD(1)),
  ScopeVersion String CODEC(ZSTD(1)),
  SpanAttributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  Duration UInt64 CODEC(ZSTD(1)),
  StatusCode LowCardinality(String) CODEC(ZSTD(1)),
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
  ${derivedColumns.map(([name, type, expression]) => `${name} ${type} MATERIALIZED ${expression} CODEC(ZSTD(1))`).join(",\n  ")},
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(Timestamp)
ORDER BY (project_id, Timestamp)
${durable}`;

/** One row per trace once merged: the list, the totals and a trace's place in time come from here. */
const traceSummary = `
CREATE TABLE IF NOT EXISTS trace_summary (
  project_id String,
  TraceId String,
  StartTime SimpleAggregateFunction(min, DateTime64(9)),
  LastStartTime SimpleAggregateFunction(max, DateTime64(9)),
  EndTime SimpleAggregateFunction(max, DateTime64(9)),
  SpanCount SimpleAggregateFunction(sum, UInt64),
  OkCount SimpleAggregateFunction(sum, UInt64),
  ErrorCount SimpleAggregateFunction(sum, UInt64),
  ${summedColumns.map(([name, type]) => `${name} SimpleAggregateFunction(sum, ${type})`).join(",\n  ")},
  Root AggregateFunction(
    argMin,
    Tuple(SpanName String, ServiceName String, StatusCode String, Tags String),
    Tuple(UInt8, DateTime64(9))
  )
) ENGINE = AggregatingMergeTree
ORDER BY (project_id, TraceId)
${durable}`;

/**
 * What {@link traceSummary} holds of some spans. The root is the parentless span; while that one has
 * not arrived (children are exported first) the earliest span stands in for it.
 */
export const summarizeSpans = `
SELECT
  project_id,
  TraceId,
  min(Timestamp) AS StartTime,
  max(Timestamp) AS LastStartTime,
  max(Timestamp + toIntervalNanosecond(Duration)) AS EndTime,
  count() AS SpanCount,
  countIf(StatusCode = 'Ok') AS OkCount,
  countIf(StatusCode = 'Error') AS ErrorCount,
  ${summedColumns.map(([name]) => `sum(otel_traces.${name}) AS ${name}`).join(",\n  ")},
  argMinState(
    CAST(
      (SpanName, ServiceName, StatusCode, ${attribute("agentops.tags")}),
      'Tuple(SpanName String, ServiceName String, StatusCode String, Tags String)'
    ),
    (toUInt8(ParentSpanId != ''), Timestamp)
  ) AS Root
FROM otel_traces`;

/** Where a span is, by its id alone: otel_traces is ordered by time and knows nothing of ids. */
const spanLookup = `
CREATE TABLE IF NOT EXISTS span_lookup (
  project_id LowCardinality(String) CODEC(ZSTD(1)),
  SpanId String CODEC(ZSTD(1)),
  TraceId String CODEC(ZSTD(1)),
  Timestamp DateTime64(9) CODEC(ZSTD(1))
) ENGINE = MergeTree
ORDER BY SpanId
${durable}, index_granularity = 512`;

export const locateSpans = "SELECT project_id, SpanId, TraceId, Timestamp FROM otel_traces";

const projects = `
CREATE TABLE IF NOT EXISTS projects (
  id String,
  api_key String,
  name String,
  environment LowCardinality(String),
  created_at DateTime DEFAULT now()
) ENGINE = MergeTree
ORDER BY id
${durable}`;

/**
 * What an SDK uploads beside its spans. In a table rather than in files, so that it is where the traces
 * are: durable as they are, and read by every server of a cluster.
 */
const uploads = `
CREATE TABLE IF NOT EXISTS uploads (
  project_id String,
  kind LowCardinality(String),
  id String,
  size UInt64,
  content_base64 String CODEC(ZSTD(1)),
  uploaded_at DateTime64(6) DEFAULT now64(6)
) ENGINE = ReplacingMergeTree(uploaded_at)
ORDER BY (project_id, kind, id)
${durable}`;

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Each may run twice: a crash between two of them leaves the version unrecorded. */
  readonly statements: readonly string[];
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: "spans, their summary per trace, and projects",
    statements: [
      otelTraces,
      traceSummary,
      spanLookup,
      projects,
      `CREATE MATERIALIZED VIEW IF NOT EXISTS trace_summary_view TO trace_summary AS ${summarizeSpans} GROUP BY project_id, TraceId`,
      `CREATE MATERIALIZED VIEW IF NOT EXISTS span_lookup_view TO span_lookup AS ${locateSpans}`,
    ],
  },
  { version: 2, name: "uploads", statements: [uploads] },
];
