import { errorChains } from "../trace/errors.js";
import { type HiddenRow, type PrunedTree, pruneTree } from "../trace/prune.js";
import type { SpanNode, SpanTree } from "../trace/tree.js";
import { type Answer, callText, renderAnswer, tokensOf } from "./answer.js";
import { excerpt } from "./recorded-text.js";
import { safeId, shortSpanIds } from "./span-ids.js";
import { spanLine } from "./span-line.js";
import { formatCount } from "./text.js";
import { tagLines, traceHead } from "./trace-head.js";

export interface TreeViewOptions {
  readonly dashboardUrl: string | undefined;
  readonly maxTokens: number;
  readonly maxDepth?: number | undefined;
  readonly focus?: SpanNode | undefined;
  /** Lists every span in order from this position, instead of the most telling ones. */
  readonly cursor?: number | undefined;
  /** Said first: why this is a tree. */
  readonly notice?: string | undefined;
}

/** About what a row takes: a first guess at how many fit, because choosing them anew costs time. */
const TYPICAL_ROW_TOKENS = 18;

/** No row takes less. */
const MIN_ROW_TOKENS = 8;

/** Deeper rows are marked with their depth instead of being moved further to the right. */
const MAX_INDENT = 12;

const MAX_GROUPS = 4;
const MAX_GROUP_NAME_CHARS = 40;

/** The spans that tell most, as an indented tree; what is hidden is counted where it hangs. */
export function renderTree(tree: SpanTree, options: TreeViewOptions): string {
  return options.cursor === undefined
    ? renderBest(tree, options)
    : renderPage(tree, options.cursor, options);
}

function renderBest(tree: SpanTree, options: TreeViewOptions): string {
  const idOf = shortSpanIds(tree.trace);
  const passedOnBy = new Set(errorChains(tree).flatMap((chain) => chain.passedOnBy));
  let maxRows = Math.ceil(options.maxTokens / TYPICAL_ROW_TOKENS);

  for (;;) {
    const pruned = pruneTree(tree, { ...options, maxDepth: options.maxDepth ?? Infinity, maxRows });
    const answer = treeAnswer(tree, pruned, rowLines(pruned, idOf, passedOnBy), options);
    const tokens = tokensOf([...answer.head, ...(answer.sections[0]?.lines ?? []), ...answer.foot]);
    const room = options.maxTokens - FENCE_TOKENS;
    if (tokens <= room || maxRows <= 1) return renderAnswer(answer, options.maxTokens);
    maxRows = Math.max(1, Math.min(maxRows - 1, Math.floor((pruned.rows.length * room) / tokens)));
  }
}

/** The two tags around recorded text and the line on what was cut, should anything be. */
const FENCE_TOKENS = 80;

function treeAnswer(
  tree: SpanTree,
  { shownSpans, totalSpans }: PrunedTree,
  rows: readonly string[],
  { focus, notice, maxTokens, dashboardUrl }: TreeViewOptions,
): Answer {
  const args = callArgs(tree, focus);
  const more = callText("trace_detail", { ...args, max_tokens: maxTokens * 2 });
  return {
    head: [...(notice ? [notice] : []), ...traceHead(tree, dashboardUrl)],
    sections: [{ lines: [...tagLines(tree), ...rows], rest: () => more }],
    foot:
      shownSpans === totalSpans
        ? []
        : [
            `Shown ${formatCount(shownSpans)} of ${formatCount(totalSpans)} spans: failures first, then the largest shares of cost and time.`,
            `More: focus_span_id for what hangs below one span; every span in order: ${callText("trace_detail", { ...args, cursor: "0" })}`,
          ],
  };
}

function callArgs({ trace }: SpanTree, focus: SpanNode | undefined) {
  return {
    trace_id: safeId(trace.traceId),
    view: "tree",
    ...(focus && { focus_span_id: safeId(focus.span.spanId) }),
  };
}

/** An error is told where it arose; the spans that passed it on only say that they did. */
function rowLines(
  { rows }: PrunedTree,
  idOf: (spanId: string) => string,
  passedOnBy: ReadonlySet<SpanNode>,
): readonly string[] {
  return rows.map((row) => {
    if (row.type === "hidden") return indent(row.depth) + hiddenLine(row);
    const error = passedOnBy.has(row.node) ? "ERROR from below" : undefined;
    return indent(row.depth) + spanLine(row.node, idOf(row.node.span.spanId), error);
  });
}

/** `… 40 spans, 2 failed: 9 tool search, 3 llm gpt-4o`. */
function hiddenLine({ groups, spanCount, errorCount }: HiddenRow): string {
  const named = groups.slice(0, MAX_GROUPS).map(({ count, kind, name, status }) => {
    const failed = status === "error" ? "failed " : "";
    return `${count} ${failed}${kind} ${excerpt(name, MAX_GROUP_NAME_CHARS)}`;
  });
  const others = groups.length > MAX_GROUPS ? [`${groups.length - MAX_GROUPS} other names`] : [];
  const failures = errorCount > 0 ? `, ${formatCount(errorCount)} failed` : "";
  return `… ${formatCount(spanCount)} more${failures}: ${[...named, ...others].join(", ")}`;
}

function indent(depth: number): string {
  return depth <= MAX_INDENT ? "  ".repeat(depth) : `${"  ".repeat(MAX_INDENT)}(depth ${depth}) `;
}

function renderPage(
  tree: SpanTree,
  cursor: number,
  { focus, maxTokens, notice, dashboardUrl }: TreeViewOptions,
): string {
  const idOf = shortSpanIds(tree.trace);
  const from = focus?.index ?? 0;
  const total = focus?.subtree.spanCount ?? tree.nodes.length;
  const page = tree.nodes.slice(
    from + cursor,
    from + Math.min(total, cursor + maxTokens / MIN_ROW_TOKENS),
  );
  const lines = page.map(
    (node) => indent(node.depth - (focus?.depth ?? 0)) + spanLine(node, idOf(node.span.spanId)),
  );
  return renderAnswer(
    {
      head: [
        ...(notice ? [notice] : []),
        ...traceHead(tree, dashboardUrl),
        `Spans from number ${cursor + 1} of ${formatCount(total)} on, in order.`,
      ],
      sections: [
        {
          lines,
          total: Math.max(0, total - cursor),
          rest: (shown) =>
            callText("trace_detail", { ...callArgs(tree, focus), cursor: String(cursor + shown) }),
        },
      ],
      foot: [],
    },
    maxTokens,
  );
}
