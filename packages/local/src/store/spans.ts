import type { Database } from "./database.js";
import { type UsageFigures, usageColumns } from "./usage.js";

/** What is short in any span. */
export interface SpanHead {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly startUnixNano: bigint;
  readonly durationNano: number;
  readonly status: string;
  readonly statusMessage: string;
}

/** A span as stored, with the figures that the engine derived from its attributes. */
export interface StoredSpan extends SpanHead, UsageFigures {
  readonly traceId: string;
  /** What it does in an agent system: `llm`, `tool`, `agent`, ... */
  readonly agentopsKind: string;
  readonly serviceName: string;
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
const selectHeads = `
SELECT
  SpanId AS spanId,
  ParentSpanId AS parentSpanId,
  SpanName AS name,
  SpanKind AS kind,
  toString(toUnixTimestamp64Nano(Timestamp)) AS startUnixNano,
  Duration AS durationNano,
  StatusCode AS status,
  StatusMessage AS statusMessage`;

const fromSpans = "FROM otel_traces";

export const selectSpans = `${selectHeads},
  TraceId AS traceId,
  AgentopsKind AS agentopsKind,
  ServiceName AS serviceName,
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
${fromSpans}`;

/** So many that most traces are one page, and so few that a page is small beside a large trace. */
const PAGE_SPANS = 1_000;

/** No span lasts longer, so all those that start at a time come after one that lasts as long. */
const MAX_DURATION_NANO = 2n ** 63n - 1n;

/** Of the spans of a trace: by start time, and of those that start together the longest (the parent) first. */
export const spanOrder = "Timestamp, -toInt64(Duration), SpanId";

interface TraceKey {
  readonly projectId: string;
  readonly traceId: string;
}

/** A trace's spans in their order, in pages. */
export async function* readTraceSpans(
  database: Database,
  trace: TraceKey,
): AsyncGenerator<StoredSpan[]> {
  for await (const rows of readPages<SpanRow>(database, selectSpans, trace)) {
    yield rows.map(toSpan);
  }
}

/** The same without what may be long. */
export async function* readTraceHeads(
  database: Database,
  trace: TraceKey,
): AsyncGenerator<SpanHead[]> {
  for await (const rows of readPages<HeadRow>(database, `${selectHeads} ${fromSpans}`, trace)) {
    yield rows.map((row) => ({ ...row, startUnixNano: BigInt(row.startUnixNano) }));
  }
}

async function* readPages<Row extends HeadRow>(
  database: Database,
  select: string,
  trace: TraceKey,
): AsyncGenerator<Row[]> {
  let after = { afterTime: 0n, afterDuration: MAX_DURATION_NANO, afterSpanId: "" };
  for (let isLast = false; !isLast; ) {
    const rows = await database.read<Row>(`${select} ${pageOfTrace}`, {
      ...trace,
      limit: PAGE_SPANS,
      ...after,
    });
    const end = rows.at(-1);
    if (end) {
      after = {
        afterTime: BigInt(end.startUnixNano),
        afterDuration: BigInt(end.durationNano),
        afterSpanId: end.spanId,
      };
      yield rows;
    }
    isLast = rows.length < PAGE_SPANS;
  }
}

/** When the trace's first span starts, and its last: the table is ordered by time and knows nothing of traces. */
const extent = `(
  SELECT (min(StartTime), max(LastStartTime)) FROM trace_summary
  WHERE project_id = {projectId:String} AND TraceId = {traceId:String}
)`;

// In the statement itself, because to plan another takes as long as to read a trace. The condition on the
// time alone is part of the last one, in the form that the table's order is read by.
const pageOfTrace = `
WHERE project_id = {projectId:String}
  AND TraceId = {traceId:String}
  AND Timestamp >= greatest(tupleElement(${extent}, 1), fromUnixTimestamp64Nano({afterTime:Int64}))
  AND Timestamp <= tupleElement(${extent}, 2)
  AND (${spanOrder}) >
    (fromUnixTimestamp64Nano({afterTime:Int64}), -{afterDuration:Int64}, {afterSpanId:String})
ORDER BY ${spanOrder}
LIMIT {limit:UInt32}`;

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

type HeadRow = Omit<SpanHead, "startUnixNano"> & { readonly startUnixNano: string };

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
