import type { Trace } from "../trace/trace.js";
import type { SpanNode, SpanTree } from "../trace/tree.js";
import { ArgumentError } from "./tool-error.js";

/** Shortest prefix of an id that is shown or accepted. */
export const MIN_ID_PREFIX = 6;

/** Prefixes that are unique within the trace: whole ids would be a third of a tree's tokens. */
export function shortSpanIds({ spans }: Trace): (spanId: string) => string {
  const ids = spans.map(({ spanId }) => spanId).sort();
  let length = MIN_ID_PREFIX;
  for (const [index, id] of ids.entries()) {
    length = Math.max(length, 1 + sharedPrefixLength(id, ids[index + 1] ?? ""));
  }
  return (spanId) => safeId(spanId.slice(0, length));
}

function sharedPrefixLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Ids stand among our own words, so one that is no id is not repeated. */
export function safeId(id: string): string {
  return /^[\w.:-]{1,64}$/.test(id) ? id : "?";
}

/** @throws ArgumentError about `argument` for an id that no span of the trace, or more than one, begins with */
export function findSpan(tree: SpanTree, idOrPrefix: string, argument: string): SpanNode {
  const exact = tree.byId.get(idOrPrefix);
  if (exact !== undefined) return exact;

  const prefix = idOrPrefix.toLowerCase();
  const matches = tree.nodes.filter(({ span }) => span.spanId.startsWith(prefix));
  const [match] = prefix.length < MIN_ID_PREFIX ? [] : matches;
  if (match === undefined) {
    throw new ArgumentError(argument, "No span of this trace has this id.");
  }
  if (matches.length > 1) {
    throw new ArgumentError(argument, `${matches.length} spans of this trace begin with this id.`);
  }
  return match;
}
