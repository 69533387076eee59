import { groupBy } from "./group-by.js";
import { modelOf } from "./semconv.js";
import type { SpanNode, SpanTree } from "./tree.js";

/** Spans of one kind, name and model, and what they account for together. */
export interface AlikeSpans {
  /** The one that accounts for most. */
  readonly most: SpanNode;
  readonly nodes: readonly SpanNode[];
  readonly total: number;
}

/** What spans account for, alike ones together, most first: of a thousand small calls none stands out alone. */
export function accountAlike(
  { nodes }: SpanTree,
  amountOf: (node: SpanNode) => number,
): readonly AlikeSpans[] {
  const spenders = nodes.filter((node) => amountOf(node) > 0);
  return [...groupBy(spenders, likenessOf).values()]
    .map((alike) => ({
      most: alike.reduce((a, b) => (amountOf(b) > amountOf(a) ? b : a)),
      nodes: alike,
      total: alike.reduce((sum, node) => sum + amountOf(node), 0),
    }))
    .sort((a, b) => b.total - a.total);
}

function likenessOf({ kind, span }: SpanNode): string {
  return [kind, span.name, modelOf(span)].join("\n");
}
