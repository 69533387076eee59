import type { Database } from "./database.js";
import type { Condition } from "./span-filter.js";
import type { SpanGroup, SpanKindName, SpanRecord, StatusName } from "./span-record.js";
import { traceCondition } from "./trace-filter.js";
import { summaries } from "./traces.js";

/** Which traces are read, whole; every part that is given must hold. */
export interface SpanGroupQuery {
  /** Any trace when empty. */
  readonly traceIds: readonly string[];
  /** Traces that ran at any time from here on. */
  readonly fromUnixNano: bigint | undefined;
  /** Traces that had started by then. */
  readonly untilUnixNano: bigint | undefined;
}

/** Where a page ends, and what the next one has to know. */
export interface SpanGroupPosition {
  readonly startUnixNano: bigint;
  readonly traceId: string;
  readonly spanId: string;
  /** When the first of all spans asked for starts. */
  readonly firstUnixNano: bigint;
  /** How many spans the next page may have, up to `MAX_PAGE_SPANS`. */
  readonly limit: number;
}

export interface SpanGroupPage {
  readonly groups: readonly SpanGroup[];
  /** Undefined on the last page, which is empty. */
  readonly next: SpanGroupPosition | undefined;
}

/** More than that a page has only where a single span is larger. */
const MAX_PAGE_BYTES = 2 * 1024 * 1024;
/** The database reads these to see how many fit; after the first page it looks no further than those before suggest. */
const FIRST_PAGE_SPANS = 100;
export const MAX_PAGE_SPANS = 1000;

/** Reads spans back in the form they were added in, newest first. */
export async function readSpanGroups(
  database: Database,
  projectId: string,
  { after, ...query }: SpanGroupQuery & { readonly after: SpanGroupPosition | undefined },
): Promise<SpanGroupPage> {
  const traces = selectedTraces(projectId, query);
  const position = after ?? (await readFirstPosition(database, traces));
  if (!position) return { groups: [], next: undefined };
  const condition = isEverything(query) ? "1" : `TraceId IN (SELECT traceId FROM (${traces.sql}))`;
  const parameters = { ...traces.parameters, ...position };
  const rows = await database.read<Row>(selectPage(condition), parameters);
  return { groups: grouped(rows), next: nextPosition(rows, position) };
}

function nextPosition(
  rows: readonly Row[],
  { firstUnixNano }: SpanGroupPosition,
): SpanGroupPosition | undefined {
  const last = rows.at(-1);
  if (!last) return undefined;
  const { startUnixNano, traceId, spanId, bytesSoFar } = last;
  const fitting = Math.floor((rows.length * MAX_PAGE_BYTES) / bytesSoFar);
  return {
    startUnixNano: BigInt(startUnixNano),
    traceId,
    spanId,
    firstUnixNano,
    limit: Math.max(1, Math.min(MAX_PAGE_SPANS, fitting)),
  };
}

function isEverything({ traceIds, fromUnixNano, untilUnixNano }: SpanGroupQuery): boolean {
  return traceIds.length === 0 && fromUnixNano === undefined && untilUnixNano === undefined;
}

function selectedTraces(projectId: string, { traceIds, ...range }: SpanGroupQuery): Condition {
  const { sql, parameters } = traceCondition({ ...range, text: "" });
  const ofTheseIds = traceIds.length > 0 ? "AND TraceId IN {traceIds:Array(String)}" : "";
  return {
    sql: `${summaries} ${ofTheseIds} GROUP BY TraceId HAVING ${sql}`,
    parameters: { projectId, traceIds, ...parameters },
  };
}

/** Before the newest span of all; undefined if there is none. */
async function readFirstPosition(
  database: Database,
  { sql, parameters }: Condition,
): Promise<SpanGroupPosition | undefined> {
  const [extent] = await database.read<{ first: string; last: string; count: number }>(
    `SELECT toString(min(start)) AS first, toString(max(lastStart)) AS last, count() AS count FROM (${sql})`,
    parameters,
  );
  if (!extent?.count) return undefined;
  return {
    startUnixNano: BigInt(extent.last),
    traceId: AFTER_ALL_IDS,
    spanId: AFTER_ALL_IDS,
    firstUnixNano: BigInt(extent.first),
    limit: FIRST_PAGE_SPANS,
  };
}

/** Ids are hex digits. */
const AFTER_ALL_IDS = "~";

type Entries = readonly (readonly [string, string])[];

interface Row {
  readonly resource: Entries;
  readonly serviceName: string;
  readonly scope: readonly [string, string];
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: SpanKindName;
  readonly startUnixNano: string;
  readonly durationNano: string;
  readonly status: StatusName;
  readonly statusMessage: string;
  readonly attributes: Entries;
  readonly events: readonly (readonly [string, string, Entries])[];
  readonly links: readonly (readonly [string, string, string, Entries])[];
  /** Of this span and those before it on the page. */
  readonly bytesSoFar: number;
}

/** A map as it was written: in a JSON object a key that comes twice, or is a number, would not be. */
const entries = (map: string) => `arrayZip(mapKeys(${map}), mapValues(${map}))`;
const entriesOfEach = (maps: string) => `arrayMap(map -> ${entries("map")}, ${maps})`;

// The window has no order of its own: it sees spans as they come, and holds none back to sort it.
const selectPage = (condition: string) => `
SELECT * EXCEPT bytes, sum(bytes) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS bytesSoFar
FROM (${selectSpans(condition)})
QUALIFY bytesSoFar <= ${MAX_PAGE_BYTES} OR bytesSoFar = bytes`;

// 64-bit numbers do not fit a JSON number, so they travel as text.
const selectSpans = (condition: string) => `
SELECT
  ${entries("ResourceAttributes")} AS resource,
  ServiceName AS serviceName,
  [ScopeName, ScopeVersion] AS scope,
  TraceId AS traceId,
  SpanId AS spanId,
  ParentSpanId AS parentSpanId,
  TraceState AS traceState,
  SpanName AS name,
  SpanKind AS kind,
  toString(toUnixTimestamp64Nano(Timestamp)) AS startUnixNano,
  toString(Duration) AS durationNano,
  StatusCode AS status,
  StatusMessage AS statusMessage,
  ${entries("SpanAttributes")} AS attributes,
  arrayZip(
    arrayMap(time -> toString(toUnixTimestamp64Nano(time)), Events.Timestamp),
    Events.Name,
    ${entriesOfEach("Events.Attributes")}
  ) AS events,
  arrayZip(Links.TraceId, Links.SpanId, Links.TraceState, ${entriesOfEach("Links.Attributes")}) AS links,
  byteSize(ResourceAttributes, StatusMessage, SpanAttributes, Events.Attributes, Links.Attributes) AS bytes
FROM otel_traces
WHERE ${isBefore(condition)} AND Timestamp >= (${selectStart(condition)})
ORDER BY project_id DESC, Timestamp DESC, TraceId DESC, SpanId DESC
LIMIT {limit:UInt32}`;

/** When a page starts. In the table's own order the engine stops there; by ids too, it sorts all that went before. */
const selectStart = (condition: string) => `
SELECT min(Timestamp) FROM (
  SELECT Timestamp FROM otel_traces
  WHERE ${isBefore(condition)}
  ORDER BY project_id DESC, Timestamp DESC
  LIMIT {limit:UInt32}
)`;

const isBefore = (condition: string) => `project_id = {projectId:String}
  AND Timestamp BETWEEN fromUnixTimestamp64Nano({firstUnixNano:Int64}) AND fromUnixTimestamp64Nano({startUnixNano:Int64})
  AND (Timestamp, TraceId, SpanId) < (fromUnixTimestamp64Nano({startUnixNano:Int64}), {traceId:String}, {spanId:String})
  AND ${condition}`;

/** By what recorded them. */
function grouped(rows: readonly Row[]): SpanGroup[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const origin = JSON.stringify([row.resource, row.scope]);
    const group = groups.get(origin);
    if (group) group.push(row);
    else groups.set(origin, [row]);
  }
  return [...groups.values()].map(toGroup);
}

function toGroup(rows: readonly Row[]): SpanGroup {
  const [{ resource = [], serviceName = "", scope: [name, version] = ["", ""] } = {}] = rows;
  return {
    resource: { serviceName, attributes: resource },
    scope: { name, version },
    spans: rows.map(toRecord),
  };
}

function toRecord({ startUnixNano, durationNano, events, links, ...span }: Row): SpanRecord {
  return {
    ...span,
    startUnixNano: BigInt(startUnixNano),
    durationNano: BigInt(durationNano),
    events: events.map(([time, name, attributes]) => {
      return { timeUnixNano: BigInt(time), name, attributes };
    }),
    links: links.map(([traceId, spanId, traceState, attributes]) => {
      return { traceId, spanId, traceState, attributes };
    }),
  };
}
