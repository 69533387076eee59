import { summarizeTrace } from "../trace/summary.js";
import { orphansOf, type SpanTree } from "../trace/tree.js";
import { excerpt } from "./recorded-text.js";
import { safeId } from "./span-ids.js";
import { usageText } from "./span-line.js";
import { formatCount, formatDuration, formatTime, plural } from "./text.js";

/** What every view of one trace begins with: the run in figures, where people see it, and what is missing. */
export function traceHead(tree: SpanTree, dashboardUrl: string | undefined): readonly string[] {
  const summary = summarizeTrace(tree);
  const facts = [
    summary.status,
    formatDuration(summary.durationMs),
    plural(summary.spanCount, "span"),
    plural(summary.errorCount, "error"),
    usageText(summary.usage),
    `started ${formatTime(summary.startUnixMs)}`,
  ];
  return [
    `Trace ${safeId(tree.trace.traceId)}: ${facts.filter(Boolean).join(", ")}`,
    ...(dashboardUrl === undefined ? [] : [`Dashboard: ${dashboardUrl}`]),
    ...gapLines(tree),
  ];
}

/** The tags, as a recorded line. */
export function tagLines({ trace }: SpanTree): readonly string[] {
  return trace.tags.length === 0 ? [] : [`tags: ${excerpt(trace.tags.join(", "), MAX_TAGS_CHARS)}`];
}

const MAX_TAGS_CHARS = 200;

export const WITHHELD_BY_PLAN =
  "The account's plan withholds attributes from this trace: prompts, tokens and costs are missing.";

/** Reasons why the trace may not be the whole run. */
export function gapLines(tree: SpanTree): readonly string[] {
  const { trace } = tree;
  const { isTruncatedByPlan, unreadSpanIds } = trace;
  const spanCount = formatCount(trace.spans.length);
  const orphanCount = orphansOf(tree).length;
  return [
    isTruncatedByPlan && WITHHELD_BY_PLAN,
    unreadSpanIds.size > 0 &&
      `${plural(unreadSpanIds.size, "span")} of ${spanCount} could not be read: their prompts, tokens and costs are missing. Call again to read them.`,
    orphanCount > 0 &&
      `${plural(orphanCount, "span")} of ${spanCount} name a parent that is not in the trace: the run may still be arriving, or its process was killed.`,
  ].filter((line) => line !== false);
}
