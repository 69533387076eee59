import type { Database } from "./database.js";
import { type UsageFigures, usageColumns } from "./usage.js";

/** A span as stored, with the figures that the engine derived from its attributes. */
export interface StoredSpan extends UsageFigures {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  /** What it does in an agent system: `llm`, `tool`, `agent`, ... */
  readonly agentopsKind: string;
  readonly serviceName: string;
  readonly startUnixNano: bigint;
  readonly durationNano: number;
  readonly status: string;
  readonly statusMessage: string;
  /** Flat keys. */
  readonly resourceAttributes: FlatAttributes;
  readonly attributes: FlatAttributes;
  readonly eventUnixNanos: readonly bigint[];
  readonly eventNames: readonly string[];
  readonly eventAttributes: readonly FlatAttributes[];
  readonly linkTraceIds: readonly string[];
  readonly linkSpanIds: readonly string[];
  readonly linkTraceStates: readonly string[];
  readonly linkAttributes: readonly FlatAttributes[];
}

export type FlatAttributes = Readonly<Record<string, string>>;

// Nanoseconds since the epoch do not fit a JSON number, so they travel as text.
export const selectSpans = `
SELECT
  TraceId AS traceId,
  SpanId AS spanId,
  ParentSpanId AS parentSpanId,
  SpanName AS name,
  SpanKind AS kind,
  AgentopsKind AS agentopsKind,
  ServiceName AS serviceName,
  toString(toUnixTimestamp64Nano(Timestamp)) AS startUnixNano,
  Duration AS durationNano,
  StatusCode AS status,
  StatusMessage AS statusMessage,
  ResourceAttributes AS resourceAttributes,
  SpanAttributes AS attributes,
  arrayMap(time -> toString(toUnixTimestamp64Nano(time)), Events.Timestamp) AS eventUnixNanos,
  Events.Name AS eventNames,
  Events.Attributes AS eventAttributes,
  Links.TraceId AS linkTraceIds,
  Links.SpanId AS linkSpanIds,
  Links.TraceState AS linkTraceStates,
  Links.Attributes AS linkAttributes,
  ${usageColumns((name) => name)}
FROM otel_traces`;

/** A trace and the time its spans start in: the table is ordered by time, so this is how they are found. */
export interface TraceExtent {
  readonly traceId: string;
  readonly startUnixNano: bigint;
  readonly lastStartUnixNano: bigint;
}

/** A trace's spans by start time; of those that start together, the longest (the parent) first. */
export async function readTraceSpans(
  database: Database,
  projectId: string,
  trace: TraceExtent,
): Promise<StoredSpan[]> {
  const rows = await database.read<SpanRow>(
    `${selectSpans}
    WHERE project_id = {projectId:String}
      AND Timestamp BETWEEN fromUnixTimestamp64Nano({first:Int64}) AND fromUnixTimestamp64Nano({last:Int64})
      AND TraceId = {traceId:String}
    ORDER BY Timestamp, Duration DESC, SpanId`,
    {
      projectId,
      traceId: trace.traceId,
      first: trace.startUnixNano,
      last: trace.lastStartUnixNano,
    },
  );
  return rows.map(toSpan);
}

/** The newest span of that id: ids are unique in a trace, and in practice everywhere. */
export async function readSpan(
  database: Database,
  projectId: string,
  spanId: string,
): Promise<StoredSpan | undefined> {
  const rows = await database.read<SpanRow>(
    `${selectSpans}
    WHERE project_id = {projectId:String}
      AND Timestamp IN (
        SELECT Timestamp FROM span_lookup
        WHERE SpanId = {spanId:String} AND project_id = {projectId:String}
      )
      AND SpanId = {spanId:String}
    ORDER BY Timestamp DESC
    LIMIT 1`,
    { projectId, spanId },
  );
  return rows.map(toSpan)[0];
}

export type SpanRow = Omit<StoredSpan, "startUnixNano" | "eventUnixNanos"> & {
  readonly startUnixNano: string;
  readonly eventUnixNanos: readonly string[];
};

export function toSpan(row: SpanRow): StoredSpan {
  return {
    ...row,
    startUnixNano: BigInt(row.startUnixNano),
    eventUnixNanos: row.eventUnixNanos.map(BigInt),
  };
}
