import { endUnixMs, type Span } from "./trace.js";
import type { SpanNode, SpanTree } from "./tree.js";

/** A stretch of time in which the trace waited for this span itself, not for one below it. */
export interface CriticalSegment {
  readonly node: SpanNode;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}

/**
 * Children that end this much after their parent still count as waited for: instrumentations round
 * times and close spans in either order.
 */
export const overhangToleranceMs = 1;

/**
 * What the end of the trace had to wait for, from its first start to its last end: one segment after
 * the other, never two at a time, with gaps where no span ran. Read backwards, a span waits for the
 * child that ended last, before that for the child that had ended last when this one started, and so
 * on; the rest is its own.
 */
export function criticalPath(tree: SpanTree): readonly CriticalSegment[] {
  const backwards: CriticalSegment[] = [];
  const open: Frame[] = [frameOf(undefined, topLevelOf(tree), wholeTime)];
  for (let frame = open.at(-1); frame !== undefined; frame = open.at(-1)) {
    const child = nextWaitedFor(frame);
    const until = child?.endUnixMs ?? frame.startUnixMs;
    if (frame.node !== undefined && until < frame.cursorUnixMs) {
      backwards.push({ node: frame.node, startUnixMs: until, endUnixMs: frame.cursorUnixMs });
    }
    if (child === undefined) {
      open.pop();
    } else {
      frame.cursorUnixMs = child.startUnixMs;
      open.push(frameOf(child.node, waitedChildrenOf(child), child));
    }
  }
  return backwards.reverse();
}

/** Milliseconds each span spent on the critical path, by `node.index`. */
export function criticalTimes(tree: SpanTree): Float64Array {
  const times = new Float64Array(tree.nodes.length);
  for (const { node, startUnixMs, endUnixMs: end } of criticalPath(tree)) {
    times[node.index] = (times[node.index] ?? 0) + end - startUnixMs;
  }
  return times;
}

/** Milliseconds each span ran with no child that it waited for running, by `node.index`. */
export function selfTimes(tree: SpanTree): Float64Array {
  const times = new Float64Array(tree.nodes.length);
  for (const node of tree.nodes) times[node.index] = selfTimeOf(node);
  return times;
}

function selfTimeOf(node: SpanNode): number {
  const whole = intervalOf(node);
  let selfMs = node.span.durationMs;
  let coveredUntil = whole.startUnixMs;
  // Children come by start time, and clipping them to their parent keeps that order.
  for (const child of waitedChildrenOf(whole)) {
    const from = Math.max(child.startUnixMs, coveredUntil);
    selfMs -= Math.max(0, child.endUnixMs - from);
    coveredUntil = Math.max(coveredUntil, child.endUnixMs);
  }
  return Math.max(0, selfMs);
}

/** A span and the part of its time that counts, which is never more than the span's own. */
interface Interval {
  readonly node: SpanNode;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
}

type Time = Pick<Interval, "startUnixMs" | "endUnixMs">;

const wholeTime: Time = {
  startUnixMs: Number.NEGATIVE_INFINITY,
  endUnixMs: Number.POSITIVE_INFINITY,
};

function intervalOf(node: SpanNode): Interval {
  return { node, startUnixMs: node.span.startUnixMs, endUnixMs: endUnixMs(node.span) };
}

/** Undefined when nothing of the interval is left. */
function clip(interval: Interval, { startUnixMs, endUnixMs: end }: Time): Interval | undefined {
  const clipped = {
    node: interval.node,
    startUnixMs: Math.max(interval.startUnixMs, startUnixMs),
    endUnixMs: Math.min(interval.endUnixMs, end),
  };
  return clipped.startUnixMs < clipped.endUnixMs ? clipped : undefined;
}

function waitedChildrenOf(parent: Interval): readonly Interval[] {
  const waitedFor: Interval[] = [];
  for (const child of parent.node.children) {
    if (outlives(child.span, parent.node.span)) continue;
    const clipped = clip(intervalOf(child), parent);
    if (clipped !== undefined) waitedFor.push(clipped);
  }
  return waitedFor;
}

/**
 * A span that ends after its parent was not waited for. Between two services the clocks may differ, so
 * there one that began in its parent's time is taken to have ended with it.
 */
function outlives(child: Span, parent: Span): boolean {
  const parentEndMs = endUnixMs(parent);
  const hasOneClock = child.serviceName === parent.serviceName;
  if (!hasOneClock) return child.startUnixMs >= parentEndMs;
  return endUnixMs(child) > parentEndMs + overhangToleranceMs;
}

/**
 * The roots, and what was still running when the last of its ancestors had ended: the TypeScript SDK
 * ends the root at once, and background work goes on after the run.
 */
function topLevelOf({ nodes }: SpanTree): readonly Interval[] {
  const topLevel: Interval[] = [];
  const ancestorsEnd = new Float64Array(nodes.length);
  for (const node of nodes) {
    const { parent, span } = node;
    const above =
      parent === undefined ? Number.NEGATIVE_INFINITY : (ancestorsEnd[parent.index] ?? 0);
    ancestorsEnd[node.index] = Math.max(above, endUnixMs(span));
    if (parent !== undefined && !outlives(span, parent.span)) continue;
    const clipped = clip(intervalOf(node), { ...wholeTime, startUnixMs: above });
    if (clipped !== undefined) topLevel.push(clipped);
  }
  return topLevel;
}

interface Frame {
  readonly node: SpanNode | undefined;
  readonly startUnixMs: number;
  /** By end time; those after the cursor are taken off the end. */
  readonly children: Interval[];
  /** The path is known from here on. */
  cursorUnixMs: number;
}

function frameOf(node: SpanNode | undefined, children: readonly Interval[], time: Time): Frame {
  return {
    node,
    startUnixMs: time.startUnixMs,
    children: children.toSorted((a, b) => a.endUnixMs - b.endUnixMs),
    cursorUnixMs: time.endUnixMs,
  };
}

/** The child that ended last before the cursor; those still running then ran beside the path. */
function nextWaitedFor(frame: Frame): Interval | undefined {
  const limit = { startUnixMs: frame.startUnixMs, endUnixMs: frame.cursorUnixMs };
  for (let child = frame.children.pop(); child !== undefined; child = frame.children.pop()) {
    if (child.endUnixMs > frame.cursorUnixMs + overhangToleranceMs) continue;
    const clipped = clip(child, limit);
    if (clipped !== undefined) return clipped;
  }
  return undefined;
}
