import type { ClickHouseFront } from "./clickhouse-front.js";

/** `otel_traces` as AgentOps' own migration makes it. */
const otelTraces = `
CREATE TABLE otel_2.otel_traces (
  Timestamp DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  project_id String MATERIALIZED ResourceAttributes['agentops.project.id'],
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
  INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX idx_span_id SpanId TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX idx_project_id project_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(Timestamp)
ORDER BY (project_id, Timestamp)`;

const columns = [
  "Timestamp, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind, ServiceName",
  "ResourceAttributes, ScopeName, ScopeVersion, SpanAttributes, Duration, StatusCode, StatusMessage",
  "Events.Timestamp, Events.Name, Events.Attributes",
  "Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes",
].join(", ");

/** A self-hosted AgentOps' database with the spans that an agentops-local one has. */
export function copyToAgentops(front: ClickHouseFront): void {
  front.ask("CREATE DATABASE otel_2");
  front.ask(otelTraces);
  front.ask(
    `INSERT INTO otel_2.otel_traces (${columns}) SELECT ${columns} FROM agentops.otel_traces`,
  );
}
