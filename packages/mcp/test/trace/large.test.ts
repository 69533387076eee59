import { beforeAll, describe, expect, test } from "vitest";
import { compareTraces } from "../../src/trace/compare.js";
import { contextGrowth } from "../../src/trace/context-growth.js";
import { conversationTurns } from "../../src/trace/conversation.js";
import { criticalPath, selfTimes } from "../../src/trace/critical-path.js";
import { groupFailures } from "../../src/trace/error-fingerprint.js";
import { createTextFinder } from "../../src/trace/find.js";
import { findLoops } from "../../src/trace/loops.js";
import { aggregateMetrics } from "../../src/trace/metrics.js";
import { pruneTree } from "../../src/trace/prune.js";
import { repeatedCalls } from "../../src/trace/repeats.js";
import { spendAfterFirstFailure } from "../../src/trace/spend.js";
import { summarizeTrace } from "../../src/trace/summary.js";
import type { Trace } from "../../src/trace/trace.js";
import { buildTree, type SpanTree } from "../../src/trace/tree.js";
import { epochUnixMs, span, trace } from "./draw.js";
import { largeTrace, spentMs } from "./large.js";

const spanCount = 50_000;

const shapes: Record<string, () => Trace> = {
  "a busy run": () => largeTrace(spanCount),
  "one chain, each span inside the one before": () =>
    trace(
      Array.from({ length: spanCount }, (_, i) =>
        span(`s${i}`, {
          parentSpanId: i === 0 ? undefined : `s${i - 1}`,
          startUnixMs: epochUnixMs + i,
          durationMs: 2 * (spanCount - i),
          status: "error",
          statusMessage: "TimeoutError: no answer",
        }),
      ),
    ),
  "one parent with all the others": () =>
    trace(
      Array.from({ length: spanCount }, (_, i) =>
        span(`s${i}`, {
          parentSpanId: i === 0 ? undefined : "s0",
          startUnixMs: epochUnixMs + i,
          durationMs: i === 0 ? spanCount : 1 + (i % 3),
        }),
      ),
    ),
  "spans without a parent": () =>
    trace(
      Array.from({ length: spanCount }, (_, i) =>
        span(`s${i}`, { parentSpanId: "missing", startUnixMs: epochUnixMs + i, durationMs: 5 }),
      ),
    ),
};

describe.each(Object.entries(shapes))("50,000 spans: %s", (_shape, drawShape) => {
  let drawn: Trace;
  let tree: SpanTree;
  beforeAll(() => {
    drawn = drawShape();
    tree = buildTree(drawn);
  });

  test("tree, pruning, critical path and self times take a second at most", () => {
    const ms = spentMs(() => {
      const built = buildTree(drawn);
      expect(pruneTree(built, { maxRows: 100 }).rows.length).toBeLessThanOrEqual(100);
      expect(criticalPath(built).length).toBeGreaterThan(0);
      expect(selfTimes(built)).toHaveLength(spanCount);
    });
    expect(ms).toBeLessThan(1000);
  });

  test.each<[string, (tree: SpanTree) => unknown]>([
    ["summary", summarizeTrace],
    ["failures", (it) => groupFailures([it])],
    ["repeated calls", repeatedCalls],
    ["loops", findLoops],
    ["spend", spendAfterFirstFailure],
    ["conversation", conversationTurns],
    ["context growth", contextGrowth],
    ["metrics", (it) => aggregateMetrics([it], "agent")],
    ["search", (it) => it.nodes.map((node) => createTextFinder("needle")(node.span))],
    ["comparison", (it) => compareTraces(it, it)],
  ])("%s takes five seconds at most", (_analysis, analyse) => {
    // Each takes about one on a slow machine; what is quadratic would take minutes.
    expect(spentMs(() => analyse(tree))).toBeLessThan(5000);
  });
});
