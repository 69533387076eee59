import { attributeKeys, endStates, firstText } from "./semconv.js";
import { endUnixMs } from "./trace.js";
import type { SpanNode, SpanTree, SubtreeTotals } from "./tree.js";
import { sumUsage } from "./usage.js";

/** `unknown`: nothing failed, but nothing said that it went well either. */
export type TraceStatus = "ok" | "failed" | "unknown";

/** Facts about a whole trace. AgentOps has no status on a trace, and its durations leave out the last span. */
export interface TraceSummary extends SubtreeTotals {
  readonly status: TraceStatus;
  /** What the SDK recorded as `agentops.session.end_state`, the worst of several; often missing. */
  readonly endState: string | undefined;
  /** The earliest span without a parent, else the earliest whose parent is missing. */
  readonly root: SpanNode | undefined;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  /** From the first start to the last end of any span. */
  readonly durationMs: number;
}

export function summarizeTrace(tree: SpanTree): TraceSummary {
  const root = tree.roots.find(({ link }) => link === "root") ?? tree.roots[0];
  const endState = endStateOf(tree);
  const [startUnixMs, endMs] = extentOf(tree);
  return {
    status: statusOf(tree, endState),
    endState,
    root,
    startUnixMs,
    endUnixMs: endMs,
    durationMs: endMs - startUnixMs,
    spanCount: tree.nodes.length,
    errorCount: tree.roots.reduce((count, { subtree }) => count + subtree.errorCount, 0),
    usage: sumUsage(tree.roots.map(({ subtree }) => subtree.usage)),
  };
}

/** First start and last end, which clock skew may put on any span. Zeros for an empty trace. */
function extentOf({ nodes }: SpanTree): readonly [number, number] {
  if (nodes.length === 0) return [0, 0];
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (const { span } of nodes) {
    start = Math.min(start, span.startUnixMs);
    end = Math.max(end, endUnixMs(span));
  }
  return [start, end];
}

const endStateNames = Object.keys(endStates);

/** The worst of the roots, which overrule the spans below them; of all spans while there is no root. */
function endStateOf({ roots, nodes }: SpanTree): string | undefined {
  const trueRoots = roots.filter(({ link }) => link === "root");
  const deciding = trueRoots.length > 0 ? trueRoots : nodes;
  const badness = deciding.map(({ span }) =>
    endStateNames.indexOf(firstText(span.attributes, attributeKeys.endState) ?? ""),
  );
  return endStateNames[badness.reduce((worst, next) => Math.max(worst, next), -1)];
}

/**
 * The user's own verdict counts most; then any failed span. A root without a status is normal and no
 * failure, but one that ended `Indeterminate` may be a run that raised: AgentOps records both alike.
 */
function statusOf({ nodes }: SpanTree, endState: string | undefined): TraceStatus {
  if (endState === "Success") return "ok";
  if (endState === "Error" || endState === "Fail") return "failed";
  if (nodes.some(({ span }) => span.status === "error")) return "failed";
  const hasSuccess = nodes.some(({ span }) => span.status === "ok");
  return hasSuccess && endState !== "Indeterminate" ? "ok" : "unknown";
}
