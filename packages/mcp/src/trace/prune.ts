import type { AgentopsKind } from "./agentops-kind.js";
import { criticalTimes } from "./critical-path.js";
import { groupBy } from "./group-by.js";
import type { SpanStatus } from "./trace.js";
import { type SpanNode, type SpanTree, subtreeOf } from "./tree.js";

export interface PruneOptions {
  /** Span rows and hidden rows together. */
  readonly maxRows: number;
  /** Levels below the roots, or below the focus, that may be shown; 0 shows these alone. */
  readonly maxDepth?: number | undefined;
  /** Shows this node's subtree instead of the whole trace. */
  readonly focus?: SpanNode | undefined;
}

export interface PrunedTree {
  readonly rows: readonly TreeRow[];
  readonly shownSpans: number;
  /** All spans that could have been shown, at any depth. */
  readonly totalSpans: number;
}

/** Rows in display order. A hidden row follows the shown children whose siblings it stands for. */
export type TreeRow =
  | { readonly type: "span"; readonly node: SpanNode; readonly depth: number }
  | HiddenRow;

export interface HiddenRow {
  readonly type: "hidden";
  readonly depth: number;
  /** Undefined where roots are hidden. */
  readonly parent: SpanNode | undefined;
  /** The hidden children, failed ones first, then the most frequent. */
  readonly groups: readonly HiddenGroup[];
  /** The hidden children with all their descendants. */
  readonly spanCount: number;
  readonly errorCount: number;
}

export interface HiddenGroup {
  readonly name: string;
  readonly kind: AgentopsKind;
  readonly status: SpanStatus;
  readonly count: number;
}

/**
 * Chooses the spans worth showing: failed ones with their ancestors, then the largest shares of cost
 * and of time on the critical path. Of failures with one name under one parent each further one is
 * worth less, so that a thousand alike do not crowd out the rest.
 */
export function pruneTree(tree: SpanTree, options: PruneOptions): PrunedTree {
  const { maxRows, maxDepth = Number.POSITIVE_INFINITY, focus } = options;
  const tops = focus === undefined ? tree.roots : [focus];
  const scope = focus === undefined ? tree.nodes : subtreeOf(tree, focus);
  const deepest = maxDepth + (focus?.depth ?? 0);

  const worth = worthOf(tree);
  const candidates = scope
    .filter(({ depth }) => depth <= deepest)
    .sort((a, b) => (worth[b.index] ?? 0) - (worth[a.index] ?? 0) || a.index - b.index);
  const shown = choose(candidates, new Set(tops), maxRows);
  return { rows: layOut(scope, tops, shown), shownSpans: shown.size, totalSpans: scope.length };
}

/** The shown spans in the order of `scope`, each closed by a row for the children it hides. */
function layOut(
  scope: readonly SpanNode[],
  tops: readonly SpanNode[],
  shown: ReadonlySet<SpanNode>,
): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  const open: SpanNode[] = [];
  const topDepth = tops[0]?.depth ?? 0;
  const pushHidden = (parent: SpanNode | undefined) => {
    const hidden = (parent?.children ?? tops).filter((node) => !shown.has(node));
    if (hidden.length > 0) rows.push(hiddenRow(hidden, parent, open.length));
  };
  const closeDownTo = (depth: number) => {
    while (open.length > depth) {
      pushHidden(open.at(-1));
      open.pop();
    }
  };
  for (const node of scope) {
    if (!shown.has(node)) continue;
    closeDownTo(node.depth - topDepth);
    rows.push({ type: "span", node, depth: open.length });
    open.push(node);
  }
  closeDownTo(0);
  pushHidden(undefined);
  return rows;
}

/** What a first failure is worth: more than any share of cost and time, which together are at most 2. */
const errorWorth = 4;

/** By `node.index`. A node is worth as much as its best descendant, so ancestors are never left out. */
function worthOf(tree: SpanTree): Float64Array {
  const worth = new Float64Array(tree.nodes.length);
  const times = criticalTimes(tree);
  const totalMs = times.reduce((sum, ms) => sum + ms, 0) || 1;
  const spend = spendOf(tree);
  const totalSpend = tree.nodes.reduce((sum, node) => sum + spend(node), 0) || 1;
  markErrors(tree.roots, worth);
  for (const node of tree.nodes) {
    worth[node.index] =
      (worth[node.index] ?? 0) + spend(node) / totalSpend + (times[node.index] ?? 0) / totalMs;
    markErrors(node.children, worth);
  }
  for (const { parent, index } of tree.nodes.toReversed()) {
    if (parent === undefined) continue;
    worth[parent.index] = Math.max(worth[parent.index] ?? 0, worth[index] ?? 0);
  }
  return worth;
}

/** Cost where any is known, else tokens. */
function spendOf({ roots }: SpanTree): (node: SpanNode) => number {
  const isPriced = roots.some(({ subtree }) => subtree.usage.costUsd);
  return isPriced ? ({ own }) => own.costUsd ?? 0 : ({ own }) => own.tokens.total;
}

function markErrors(siblings: readonly SpanNode[], worth: Float64Array): void {
  const seen = new Map<string, number>();
  for (const { span, index } of siblings) {
    if (span.status !== "error") continue;
    const rank = (seen.get(span.name) ?? 0) + 1;
    seen.set(span.name, rank);
    worth[index] = errorWorth / rank ** 2;
  }
}

/** Takes the candidates, best first, as long as they and the rows for what stays hidden fit. */
function choose(
  candidates: readonly SpanNode[],
  tops: ReadonlySet<SpanNode>,
  maxRows: number,
): ReadonlySet<SpanNode> {
  const shown = new Set<SpanNode>();
  const hiddenBelow = new Map<SpanNode | undefined, number>([[undefined, tops.size]]);
  let rowCount = tops.size > 0 ? 1 : 0;
  for (const node of candidates) {
    const parent = tops.has(node) ? undefined : node.parent;
    const hiddenSiblings = (hiddenBelow.get(parent) ?? 0) - 1;
    const added = 1 + (node.children.length > 0 ? 1 : 0) - (hiddenSiblings === 0 ? 1 : 0);
    const isReached = parent === undefined || shown.has(parent);
    if (!isReached || rowCount + added > maxRows) continue;
    rowCount += added;
    shown.add(node);
    hiddenBelow.set(parent, hiddenSiblings);
    hiddenBelow.set(node, node.children.length);
  }
  return shown;
}

function hiddenRow(
  hidden: readonly SpanNode[],
  parent: SpanNode | undefined,
  depth: number,
): HiddenRow {
  const keyOf = ({ kind, span }: SpanNode) => `${span.status} ${kind} ${span.name}`;
  const groups = [...groupBy(hidden, keyOf).values()].map((alike): HiddenGroup => {
    const { kind, span } = alike[0];
    return { name: span.name, kind, status: span.status, count: alike.length };
  });
  const isFailed = ({ status }: HiddenGroup) => Number(status === "error");
  return {
    type: "hidden",
    depth,
    parent,
    groups: groups.sort((a, b) => isFailed(b) - isFailed(a) || b.count - a.count),
    spanCount: hidden.reduce((sum, { subtree }) => sum + subtree.spanCount, 0),
    errorCount: hidden.reduce((sum, { subtree }) => sum + subtree.errorCount, 0),
  };
}
