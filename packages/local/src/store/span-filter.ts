import { spellingsOf } from "mcp-server-agentops-api/semconv";
import { searchText } from "./derived-columns.js";

export const spanStatuses = ["Ok", "Error", "Unset"] as const;

/** What a span must be to be found; every part that is given must hold. Texts match in any case. */
export interface SpanFilter {
  /** Spans of these traces only; any trace when empty. */
  readonly traceIds: readonly string[];
  /** Spans that started from here on. */
  readonly fromUnixNano: bigint | undefined;
  /** Spans that had started by then. */
  readonly untilUnixNano: bigint | undefined;
  /** Part of the name, the status message, or a value of attributes or events, also as JSON escapes it. */
  readonly text: string | undefined;
  /** Part of the name. */
  readonly name: string | undefined;
  /** Part of the model's name, so that `gpt-4o` finds its dated versions. */
  readonly model: string | undefined;
  /** The whole name of the tool, or of the agent that the span names. */
  readonly tool: string | undefined;
  readonly agent: string | undefined;
  readonly agentopsKind: string | undefined;
  readonly status: (typeof spanStatuses)[number] | undefined;
  readonly minDurationNano: bigint | undefined;
  readonly minCostUsd: number | undefined;
  readonly attributes: readonly AttributeFilter[];
}

/** An attribute that must be there and, if `contains` is given, must have that in its value. */
export interface AttributeFilter {
  readonly key: string;
  readonly contains: string | undefined;
}

/** Conditions on `otel_traces`, and the parameters they are bound to. */
export interface Condition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export function spanCondition(projectId: string, filter: SpanFilter): Condition {
  const attributes = filter.attributes.flatMap(attributeConditions);
  const given = [
    { sql: "project_id = {projectId:String}", parameters: { projectId } },
    ...conditions.flatMap(({ of, sql, type, name }) => {
      const value = of(filter);
      if (value === undefined) return [];
      return [{ sql: sql(`{${name}:${type}}`), parameters: { [name]: value } }];
    }),
    ...textConditions(filter.text),
    ...attributes,
  ];
  return {
    sql: given.map((condition) => condition.sql).join(" AND "),
    parameters: Object.assign({}, ...given.map((condition) => condition.parameters)),
  };
}

interface ValueCondition {
  readonly name: string;
  readonly type: string;
  readonly of: (filter: SpanFilter) => unknown;
  readonly sql: (parameter: string) => string;
}

const contains = (text: string, part: string) =>
  `positionCaseInsensitiveUTF8(${text}, ${part}) > 0`;
const equals = (text: string, other: string) => `lowerUTF8(${text}) = lowerUTF8(${other})`;

const conditions: readonly ValueCondition[] = [
  {
    name: "traceIds",
    type: "Array(String)",
    of: ({ traceIds }) => (traceIds.length > 0 ? traceIds : undefined),
    sql: (ids) => `TraceId IN ${ids}`,
  },
  {
    name: "from",
    type: "Int64",
    of: ({ fromUnixNano }) => fromUnixNano,
    sql: (time) => `Timestamp >= fromUnixTimestamp64Nano(${time})`,
  },
  {
    name: "until",
    type: "Int64",
    of: ({ untilUnixNano }) => untilUnixNano,
    sql: (time) => `Timestamp <= fromUnixTimestamp64Nano(${time})`,
  },
  {
    name: "name",
    type: "String",
    of: ({ name }) => name,
    sql: (name) => contains("SpanName", name),
  },
  {
    name: "model",
    type: "String",
    of: ({ model }) => model,
    sql: (model) => contains("Model", model),
  },
  { name: "tool", type: "String", of: ({ tool }) => tool, sql: (tool) => equals("ToolName", tool) },
  {
    name: "agent",
    type: "String",
    of: ({ agent }) => agent,
    sql: (agent) => equals("AgentName", agent),
  },
  {
    name: "kind",
    type: "String",
    of: ({ agentopsKind }) => agentopsKind,
    sql: (kind) => `AgentopsKind = ${kind}`,
  },
  {
    name: "status",
    type: "String",
    of: ({ status }) => status,
    sql: (status) => `StatusCode = ${status}`,
  },
  {
    name: "minDuration",
    type: "UInt64",
    of: ({ minDurationNano }) => minDurationNano,
    sql: (duration) => `Duration >= ${duration}`,
  },
  {
    name: "minCost",
    type: "Float64",
    of: ({ minCostUsd }) => minCostUsd,
    sql: (cost) => `TotalCost >= ${cost}`,
  },
];

function attributeConditions({ key, contains: part }: AttributeFilter, index: number): Condition[] {
  const [keyName, partName] = [`attributeKey${index}`, `attributePart${index}`];
  const value = `SpanAttributes[{${keyName}:String}]`;
  const isThere = {
    sql: `mapContains(SpanAttributes, {${keyName}:String})`,
    parameters: { [keyName]: key },
  };
  if (part === undefined) return [isThere];
  const matches = {
    sql: contains(value, `{${partName}:String}`),
    parameters: { [partName]: part },
  };
  return [isThere, matches];
}

/** The text in any of its spellings. */
function textConditions(text: string | undefined): Condition[] {
  if (text === undefined) return [];
  const named = spellingsOf(text).map((spelling, i) =>
    textParts(spelling).map((part, j) => [`text${i}_${j}`, part] as const),
  );
  const sql = named.map((each) =>
    each.map(([name]) => `${searchText} LIKE {${name}:String}`).join(" AND "),
  );
  const parameters = named
    .flat()
    .map(([name, part]) => [name, `%${part.replace(/[\\%_]/g, "\\$&")}%`]);
  return [{ sql: `(${sql.join(" OR ")})`, parameters: Object.fromEntries(parameters) }];
}

/**
 * The engine's text index knows words: it asks the index for those that are whole in a pattern, and not for
 * those cut off at its ends, which by themselves it finds by reading all words. A word with letters
 * past ASCII it only compares, so of such a word the ASCII pieces are asked for.
 */
function textParts(whole: string): readonly string[] {
  const pieces = whole.match(CUT_OFF_PIECE) ?? [];
  return [...new Set([...pieces.slice(0, MAX_PIECES), whole])];
}

/** Shorter pieces are in too many words for the index to tell anything. */
const CUT_OFF_PIECE =
  /(?<=^|[^\p{ASCII}])[a-z0-9]{4,}(?![a-z0-9])|(?<![a-z0-9])[a-z0-9]{4,}(?=$|[^\p{ASCII}])/gu;
/** A few already leave next to nothing to read. */
const MAX_PIECES = 4;
