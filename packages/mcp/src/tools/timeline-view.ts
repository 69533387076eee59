import { byStart, type SpanNode, type SpanTree, subtreeOf } from "../trace/tree.js";
import { callText, renderAnswer } from "./answer.js";
import { safeId, shortSpanIds } from "./span-ids.js";
import { spanLine } from "./span-line.js";
import { formatCount, formatDuration } from "./text.js";
import { tagLines, traceHead } from "./trace-head.js";

export interface TimelineOptions {
  readonly dashboardUrl: string | undefined;
  readonly maxTokens: number;
  readonly maxDepth?: number | undefined;
  readonly focus?: SpanNode | undefined;
  /** How many spans to pass over. */
  readonly cursor?: number | undefined;
}

/** Every span by the time it started, whatever it hangs below: what ran beside what. */
export function renderTimeline(tree: SpanTree, options: TimelineOptions): string {
  const { focus, cursor: skipped = 0, maxTokens, maxDepth = Number.POSITIVE_INFINITY } = options;
  const idOf = shortSpanIds(tree.trace);
  const scope = focus === undefined ? tree.nodes : subtreeOf(tree, focus);
  const deepest = maxDepth + (focus?.depth ?? 0);
  const nodes = byStart(scope.filter(({ depth }) => depth <= deepest));
  const startUnixMs = nodes[0]?.span.startUnixMs ?? 0;

  // No line takes fewer than one token, so no more than these can be shown.
  const lines = nodes
    .slice(skipped, skipped + maxTokens)
    .map(
      (node) =>
        `+${formatDuration(node.span.startUnixMs - startUnixMs)} ${spanLine(node, idOf(node.span.spanId))}`,
    );
  const args = {
    trace_id: safeId(tree.trace.traceId),
    view: "timeline",
    ...(focus && { focus_span_id: safeId(focus.span.spanId) }),
    ...(options.maxDepth !== undefined && { depth: options.maxDepth }),
  };
  const from = skipped > 0 ? `, from number ${formatCount(skipped + 1)}` : "";
  return renderAnswer(
    {
      head: [
        ...traceHead(tree, options.dashboardUrl),
        `${formatCount(nodes.length)} spans by start${from}:`,
      ],
      sections: [
        { lines: tagLines(tree), rest: () => callText("trace_detail", args) },
        {
          lines,
          total: Math.max(0, nodes.length - skipped),
          rest: (shown) => callText("trace_detail", { ...args, cursor: String(skipped + shown) }),
        },
      ],
      foot: [],
    },
    maxTokens,
  );
}
