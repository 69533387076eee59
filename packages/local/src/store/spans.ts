import type { Database } from "./database.js";
import { isUnpriced } from "./derived-columns.js";
import { filterKeyword, type Layout } from "./layout.js";
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

/** A span with its attributes. */
export interface SpanBody extends SpanHead {
  readonly serviceName: string;
  /** Flat keys. */
  readonly resourceAttributes: FlatAttributes;
  readonly attributes: FlatAttributes;
}

/** What the engine derived from a span's attributes, and how the span ended. */
export interface SpanUsage extends Pick<SpanHead, "status">, UsageFigures {}

/** A span as stored, with the figures that the engine derived from its attributes. */
export interface StoredSpan extends SpanBody, SpanUsage {
  readonly traceId: string;
  /** What it does in an agent system: `llm`, `tool`, `agent`, ... */
  readonly agentopsKind: string;
  /** It reports tokens but no cost. */
  readonly isUnpriced: boolean;
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

const selectBodies = `${selectHeads},
  ServiceName AS serviceName,
  ResourceAttributes AS resourceAttributes,
  SpanAttributes AS attributes`;

const usage = usageColumns((name) => name);

export const selectSpans = `${selectBodies},
  TraceId AS traceId,
  AgentopsKind AS agentopsKind,
  toBool(${isUnpriced}) AS isUnpriced,
  arrayMap(time -> toString(toUnixTimestamp64Nano(time)), Events.Timestamp) AS eventUnixNanos,
  Events.Name AS eventNames,
  Events.Attributes AS eventAttributes,
  Links.TraceId AS linkTraceIds,
  Links.SpanId AS linkSpanIds,
  Links.TraceState AS linkTraceStates,
  Links.Attributes AS linkAttributes,
  ${usage}`;

/** So many that most traces are one page, and so few that a page is small beside a large trace. */
const PAGE_SPANS = 1_000;

/** Of the spans of a trace: by start time, and of those that start together the longest (the parent) first. */
export const spanOrder = "Timestamp, -toInt64(Duration), SpanId";

interface TraceKey {
  readonly projectId: string;
  readonly traceId: string;
}

interface TraceRead {
  /** Of its spans, given itself. */
  readonly select: (trace: string) => string;
  /** Of itself, the times of its first and last span before all: the table of spans is ordered by time and knows nothing of traces. */
  readonly figures: string;
}

const extent = "min(StartTime), max(LastStartTime)";

const wholeSpans: TraceRead = { select: () => selectSpans, figures: extent };

/** A trace's spans in their order, in pages. */
export async function* readTraceSpans(
  database: Database,
  trace: TraceKey,
): AsyncGenerator<StoredSpan[]> {
  for await (const rows of readPages<SpanRow>(database, wholeSpans, trace)) {
    yield rows.map(toSpan);
  }
}

/** A span of a trace without what may be long, and what its trace is tagged with. */
export interface TraceHead extends SpanHead {
  /** Of the root, see `TraceSums`. */
  readonly rootTags: string;
}

const traceHeads: TraceRead = {
  select: (trace) => `${selectHeads}, tupleElement(${trace}, 3) AS rootTags`,
  figures: `${extent}, tupleElement(argMinMerge(Root), 'Tags')`,
};

/** The same spans without what may be long. */
export async function* readTraceHeads(
  database: Database,
  trace: TraceKey,
): AsyncGenerator<TraceHead[]> {
  for await (const rows of readPages<Row<TraceHead>>(database, traceHeads, trace)) {
    yield rows.map(withStart);
  }
}

async function* readPages<Fields extends Position>(
  database: Database,
  read: TraceRead,
  trace: TraceKey,
): AsyncGenerator<Fields[]> {
  let last: Fields | undefined;
  for (let isLast = false; !isLast; ) {
    const rows = await database.read<Fields>(pageOf(read, database.layout, last), {
      ...trace,
      limit: PAGE_SPANS,
      ...(last && positionOf(last)),
    });
    last = rows.at(-1);
    if (last) yield rows;
    isLast = rows.length < PAGE_SPANS;
  }
}

type Position = Pick<Row<SpanHead>, "startUnixNano" | "durationNano" | "spanId">;

function positionOf({ startUnixNano, durationNano, spanId }: Position) {
  return {
    afterTime: BigInt(startUnixNano),
    afterDuration: BigInt(durationNano),
    afterSpanId: spanId,
  };
}

// The times are part of the statement, because to plan another takes as long as to read a trace. Each
// condition is planned as well: a first page, which has nothing before it, goes without the last two.
function pageOf({ select, figures }: TraceRead, layout: Layout, last: Position | undefined) {
  const filter = `${filterKeyword(layout)} project_id = {projectId:String} AND TraceId = {traceId:String}`;
  // A tuple, which the engine reads once, however often a statement asks for it.
  const trace = `(SELECT (${figures}) FROM trace_summary ${filter})`;
  return `${select(trace)}
  FROM otel_traces
  ${filter}
    AND Timestamp >= tupleElement(${trace}, 1)
    AND Timestamp <= tupleElement(${trace}, 2)
    ${last ? isFurther : ""}
  ORDER BY ${spanOrder}
  LIMIT {limit:UInt32}`;
}

// The condition on the time alone is part of the other, in the form that the table's order is read by.
const isFurther = `
  AND Timestamp >= fromUnixTimestamp64Nano({afterTime:Int64})
  AND (${spanOrder}) >
    (fromUnixTimestamp64Nano({afterTime:Int64}), -{afterDuration:Int64}, {afterSpanId:String})`;

interface SpanKey {
  readonly projectId: string;
  readonly spanId: string;
}

/** The newest span of that id: ids are unique in a trace, and in practice everywhere. */
export async function readSpan(database: Database, key: SpanKey): Promise<SpanBody | undefined> {
  const row = await readNewest<Row<SpanBody>>(database, selectBodies, key);
  return row && withStart(row);
}

/** Usage of the newest span of that id. */
export async function readSpanUsage(
  database: Database,
  key: SpanKey,
): Promise<SpanUsage | undefined> {
  return await readNewest(database, `SELECT StatusCode AS status, ${usage}`, key);
}

async function readNewest<Fields>(
  database: Database,
  select: string,
  key: SpanKey,
): Promise<Fields | undefined> {
  const filter = `${filterKeyword(database.layout)} project_id = {projectId:String} AND SpanId = {spanId:String}`;
  const [row] = await database.read<Fields>(
    `${select}
    FROM otel_traces
    ${filter} AND Timestamp IN (SELECT Timestamp FROM span_lookup ${filter})
    ORDER BY Timestamp DESC
    LIMIT 1`,
    { ...key },
  );
  return row;
}

/** As the engine answers it: nanoseconds since the epoch do not fit a JSON number. */
type Row<Head extends SpanHead> = Omit<Head, "startUnixNano"> & { readonly startUnixNano: string };

function withStart<Fields extends { readonly startUnixNano: string }>({
  startUnixNano,
  ...row
}: Fields) {
  return { ...row, startUnixNano: BigInt(startUnixNano) };
}

export type SpanRow = Omit<Row<StoredSpan>, "eventUnixNanos"> & {
  readonly eventUnixNanos: readonly string[];
};

export function toSpan(row: SpanRow): StoredSpan {
  return { ...withStart(row), eventUnixNanos: row.eventUnixNanos.map(BigInt) };
}
