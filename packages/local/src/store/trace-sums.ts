import type { StoredSpan } from "./spans.js";
import { addUsage, noUsage, type UsageFigures, usageOf } from "./usage.js";

/** What the spans of a trace add up to. */
export interface TraceSums extends UsageFigures {
  /** Raw `agentops.tags` of the root: JSON array text, as a rule. */
  readonly rootTags: string;
  readonly spanCount: number;
  readonly okCount: number;
  readonly errorCount: number;
  /** Calls that report tokens but no cost, see `traceUnpricedCount`. */
  readonly unpricedCount: number;
}

/**
 * Adds up the spans of a trace as they are read, by start time. The sums are those of its summary
 * (`summarizeSpans`, `traceUsage`, `traceUnpricedCount`), which takes as long to read as a small trace's
 * spans do.
 */
export function createTraceSums() {
  const counts = { spanCount: 0, okCount: 0, errorCount: 0 };
  const usage = { modelCalls: noUsage, tools: noUsage, wrappers: noUsage };
  const unpriced = { callCount: 0, wrapperTokens: 0 };
  let root: StoredSpan | undefined;

  return {
    add(span: StoredSpan): void {
      counts.spanCount += 1;
      if (span.status === "Ok") counts.okCount += 1;
      if (span.status === "Error") counts.errorCount += 1;
      const reporter = reporterOf(span);
      usage[reporter] = addUsage(usage[reporter], span);
      if (!root || (root.parentSpanId !== "" && span.parentSpanId === "")) root = span;
      if (!span.isUnpriced) return;
      if (reporter !== "wrappers") unpriced.callCount += 1;
      else unpriced.wrapperTokens = Math.max(unpriced.wrapperTokens, span.totalTokens);
    },

    /** Undefined while there is no span. */
    result(): TraceSums | undefined {
      if (!root) return undefined;
      const { modelCalls, tools, wrappers } = usage;
      return {
        rootTags: root.attributes["agentops.tags"] ?? "",
        ...counts,
        unpricedCount:
          unpriced.callCount + (unpriced.wrapperTokens > modelCalls.totalTokens ? 1 : 0),
        ...usageOf((name) => Math.max(modelCalls[name], wrappers[name]) + tools[name]),
      };
    },
  };
}

function reporterOf({ agentopsKind }: StoredSpan): "modelCalls" | "tools" | "wrappers" {
  if (agentopsKind === "llm") return "modelCalls";
  return agentopsKind === "tool" ? "tools" : "wrappers";
}
