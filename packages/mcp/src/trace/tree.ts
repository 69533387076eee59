import { type AgentopsKind, agentNameOf, agentopsKind } from "./agentops-kind.js";
import type { Span, Trace } from "./trace.js";
import { addUsage, maxUsage, noUsage, subtractUsage, type Usage, usageOf } from "./usage.js";

/**
 * How a span hangs in the tree. `orphan`: it names a parent the trace does not have (the process was
 * killed, or the parent has not arrived yet). `cycle`: its parent is also its descendant.
 * All but `child` are roots.
 */
export type Link = "root" | "orphan" | "cycle" | "child";

export interface SpanNode {
  readonly span: Span;
  readonly kind: AgentopsKind;
  /** The name of the nearest agent, this span included. */
  readonly agent: string | undefined;
  readonly link: Link;
  readonly parent: SpanNode | undefined;
  /** By start time. */
  readonly children: readonly SpanNode[];
  readonly depth: number;
  /** Position in {@link SpanTree.nodes}; the subtree is the next `subtree.spanCount` nodes from here. */
  readonly index: number;
  /** What this span used itself: what it reported less what its descendants account for. */
  readonly own: Usage;
  readonly subtree: SubtreeTotals;
}

export interface SubtreeTotals {
  /** This span included. */
  readonly spanCount: number;
  readonly errorCount: number;
  readonly usage: Usage;
}

export interface SpanTree {
  readonly trace: Trace;
  readonly roots: readonly SpanNode[];
  /** Every span once, depth first, siblings and roots by start time; roots cut from a cycle come last. */
  readonly nodes: readonly SpanNode[];
  readonly byId: ReadonlyMap<string, SpanNode>;
}

/** Those whose parents are missing: they may still arrive, or never were sent. */
export function orphansOf({ roots }: SpanTree): readonly SpanNode[] {
  return roots.filter(({ link }) => link === "orphan");
}

/** Builds the tree of any set of spans. Linear, and as deep as the data: nothing here recurses. */
export function buildTree(trace: Trace): SpanTree {
  const byId = new Map<string, Draft>();
  for (const span of trace.spans) {
    if (!byId.has(span.spanId)) byId.set(span.spanId, draftOf(span));
  }
  // The map keeps the trace's order, so children and roots come out by start time.
  const drafts = [...byId.values()];
  const roots: Draft[] = [];
  for (const node of drafts) {
    linkToParent(node, byId);
    (node.parent?.children ?? roots).push(node);
  }
  const nodes: Draft[] = [];
  for (const root of roots) appendDepthFirst(root, nodes);
  for (const node of drafts) {
    if (node.index !== unplaced) continue;
    const root = cutCycleAbove(node);
    roots.push(root);
    appendDepthFirst(root, nodes);
  }
  addUpSubtrees(nodes);
  return { trace, roots, nodes, byId };
}

/** The node and all its descendants, depth first. */
export function subtreeOf(tree: SpanTree, node: SpanNode): readonly SpanNode[] {
  return tree.nodes.slice(node.index, node.index + node.subtree.spanCount);
}

/** From the root down to the node's parent. */
export function ancestorsOf(node: SpanNode): readonly SpanNode[] {
  const ancestors: SpanNode[] = [];
  for (let above = node.parent; above !== undefined; above = above.parent) ancestors.push(above);
  return ancestors.reverse();
}

export function byStart(nodes: readonly SpanNode[]): readonly SpanNode[] {
  return nodes.toSorted((a, b) => a.span.startUnixMs - b.span.startUnixMs);
}

const unplaced = -1;

/** A node while it is being placed. */
type Draft = {
  -readonly [Key in Exclude<keyof SpanNode, "parent" | "children">]: SpanNode[Key];
} & {
  parent: Draft | undefined;
  children: Draft[];
};

function draftOf(span: Span): Draft {
  return {
    span,
    kind: agentopsKind(span),
    agent: undefined,
    link: "root",
    parent: undefined,
    children: [],
    depth: 0,
    index: unplaced,
    own: noUsage,
    subtree: { spanCount: 1, errorCount: 0, usage: noUsage },
  };
}

function linkToParent(node: Draft, byId: ReadonlyMap<string, Draft>): void {
  const { parentSpanId } = node.span;
  if (parentSpanId === undefined) return;
  node.parent = byId.get(parentSpanId);
  node.link = node.parent === undefined ? "orphan" : "child";
}

/** Makes a root of a node that no root leads to: its ancestors run in a circle. */
function cutCycleAbove(node: Draft): Draft {
  const walked = new Set<Draft>();
  let at = node;
  while (at.parent !== undefined && !walked.has(at)) {
    walked.add(at);
    at = at.parent;
  }
  if (at.parent !== undefined) at.parent.children = at.parent.children.filter((it) => it !== at);
  at.parent = undefined;
  at.link = "cycle";
  return at;
}

function appendDepthFirst(root: Draft, nodes: Draft[]): void {
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    node.depth = node.parent === undefined ? 0 : node.parent.depth + 1;
    node.agent = agentNameOf(node.span, node.kind) ?? node.parent?.agent;
    node.index = nodes.push(node) - 1;
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i];
      if (child !== undefined) pending.push(child);
    }
  }
}

/** Children come after their parent in depth-first order, so one pass from the end adds them all up. */
function addUpSubtrees(nodes: readonly Draft[]): void {
  for (const node of nodes.toReversed()) {
    let { spanCount, errorCount, usage: below } = noSpans;
    for (const child of node.children) {
      spanCount += child.subtree.spanCount;
      errorCount += child.subtree.errorCount;
      below = addUsage(below, child.subtree.usage);
    }
    const usage = usageWith(node, below);
    node.own = subtractUsage(usage, below);
    node.subtree = {
      spanCount: spanCount + 1,
      errorCount: errorCount + (node.span.status === "error" ? 1 : 0),
      usage,
    };
  }
}

const noSpans: SubtreeTotals = { spanCount: 0, errorCount: 0, usage: noUsage };

/**
 * CrewAI's root, and any wrapper around a model call, reports the sum of its descendants: taking the
 * larger of the two counts it once. A tool's cost is the price of the tool itself and comes on top.
 */
function usageWith(node: Draft, below: Usage): Usage {
  const reported = usageOf(node.span);
  return node.kind === "tool" ? addUsage(reported, below) : maxUsage(reported, below);
}
