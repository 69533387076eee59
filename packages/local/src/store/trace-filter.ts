import type { Condition } from "./span-filter.js";

/** Which traces; every part that is given must hold. */
export interface TraceFilter {
  /** Traces that ran at any time from here on. */
  readonly fromUnixNano: bigint | undefined;
  /** Traces that had started by then. */
  readonly untilUnixNano: bigint | undefined;
  /** Found, whatever its case, in the trace id, the root span's name or its tags. */
  readonly text: string;
}

/** On the columns of `summaries`. */
export function traceCondition({ fromUnixNano, untilUnixNano, text }: TraceFilter): Condition {
  const conditions = ["1"];
  const parameters: Record<string, unknown> = {};

  if (fromUnixNano !== undefined) {
    conditions.push("end >= {from:Int64}");
    parameters.from = fromUnixNano;
  }
  if (untilUnixNano !== undefined) {
    conditions.push("start <= {until:Int64}");
    parameters.until = untilUnixNano;
  }
  if (text !== "") {
    conditions.push(
      "arrayExists(field -> positionCaseInsensitiveUTF8(field, {text:String}) > 0, [traceId, rootName, rootTags])",
    );
    parameters.text = text;
  }
  return { sql: conditions.join(" AND "), parameters };
}
