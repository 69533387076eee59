import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PruneOptions, pruneTree } from "../../src/trace/prune.js";
import { buildTree, type SpanTree } from "../../src/trace/tree.js";
import { draw, epochUnixMs, nodeOf, span, trace } from "./draw.js";

/** Rows as an indented list; `+3: 2 error search.tool, 1 unset chat` for a hidden row of 3 spans. */
function rows(tree: SpanTree, options: PruneOptions): string {
  return pruneTree(tree, options)
    .rows.map((row) => {
      const indent = "  ".repeat(row.depth);
      if (row.type === "span") return indent + row.node.span.spanId;
      const groups = row.groups.map(({ count, status, name }) => `${count} ${status} ${name}`);
      return `${indent}+${row.spanCount}: ${groups.join(", ")}`;
    })
    .join("\n");
}

const costing = (costUsd: number) => ({
  attributes: { "gen_ai.usage.total_cost": String(costUsd) },
});

const picture = `
  run.session         [--------------------------------------]
    planner.agent     [------------------]
      cheap.llm       [-]
      dear.llm          [-]
      search.tool         [-]
        fetch.http        [-]   x
    writer.agent                          [------------------]
      draft.llm                           [----------------]
      check.tool                                           [-]  ok
      check.tool#2                                          [] ok
`;
const parts = { "cheap.llm": costing(0.01), "dear.llm": costing(0.9) };

describe("a pruned tree", () => {
  test("shows everything when it fits, with no hidden row", () => {
    const tree = draw(picture, parts);
    const pruned = pruneTree(tree, { maxRows: 10 });
    expect(pruned).toMatchObject({ shownSpans: 10, totalSpans: 10 });
    expect(pruned.rows.every(({ type }) => type === "span")).toBe(true);
  });

  test("keeps the failed span with its ancestors first, and says what it hides", () => {
    expect(rows(draw(picture, parts), { maxRows: 6 })).toBe(
      [
        "run.session",
        "  planner.agent",
        "    search.tool",
        "      fetch.http",
        "    +2: 1 unset cheap.llm, 1 unset dear.llm",
        "  +4: 1 unset writer.agent",
      ].join("\n"),
    );
  });

  test("then adds what costs most and takes longest, and fills the budget", () => {
    expect(rows(draw(picture, parts), { maxRows: 9 })).toBe(
      [
        "run.session",
        "  planner.agent",
        "    cheap.llm",
        "    dear.llm",
        "    search.tool",
        "      fetch.http",
        "  writer.agent",
        "    draft.llm",
        "    +2: 2 ok check.tool",
      ].join("\n"),
    );
  });

  test("goes no deeper than asked, but counts what lies below", () => {
    expect(rows(draw(picture, parts), { maxRows: 10, maxDepth: 1 })).toBe(
      [
        "run.session",
        "  planner.agent",
        "    +4: 1 unset cheap.llm, 1 unset dear.llm, 1 unset search.tool",
        "  writer.agent",
        "    +3: 2 ok check.tool, 1 unset draft.llm",
      ].join("\n"),
    );
  });

  test("starts at the focused span", () => {
    const tree = draw(picture, parts);
    const focus = nodeOf(tree, "writer.agent");
    expect(rows(tree, { maxRows: 3, focus })).toBe(
      ["writer.agent", "  draft.llm", "  +2: 2 ok check.tool"].join("\n"),
    );
    expect(pruneTree(tree, { maxRows: 3, focus }).totalSpans).toBe(4);
  });

  test("does not let failures alike crowd out the rest", () => {
    const failures = Array.from({ length: 50 }, (_, i) =>
      span(`search-${i}`, {
        name: "search.tool",
        parentSpanId: "run",
        startUnixMs: epochUnixMs + i,
        durationMs: 1,
        status: "error",
      }),
    );
    const chat = span("chat", {
      parentSpanId: "run",
      startUnixMs: epochUnixMs + 60,
      durationMs: 400,
    });
    const run = span("run", { durationMs: 500 });
    const tree = buildTree(trace([run, ...failures, chat]));
    expect(rows(tree, { maxRows: 6 })).toBe(
      [
        "run",
        "  search-0",
        "  search-1",
        "  search-2",
        "  chat",
        "  +47: 47 error search.tool",
      ].join("\n"),
    );
  });

  test("hides roots too", () => {
    const tree = draw("first.session  [-]\nsecond.session   [-]  x\nthird.session    [-]");
    expect(rows(tree, { maxRows: 2 })).toBe(
      "second.session\n+2: 1 unset first.session, 1 unset third.session",
    );
  });
});

describe("for any tree and any budget", () => {
  const trees = fc
    .array(fc.record({ parent: fc.nat(12), hasFailed: fc.boolean(), ms: fc.nat(50) }))
    .map((nodes) =>
      buildTree(
        trace(
          nodes.map(({ parent, hasFailed, ms }, i) =>
            span(`s${i}`, {
              parentSpanId: parent < i ? `s${parent}` : undefined,
              status: hasFailed ? "error" : "ok",
              durationMs: ms,
            }),
          ),
        ),
      ),
    );

  test("rows stay within the budget and account for every span", () => {
    fc.assert(
      fc.property(trees, fc.integer({ min: 1, max: 40 }), (tree, maxRows) => {
        const { rows: found, shownSpans, totalSpans } = pruneTree(tree, { maxRows });
        const hidden = found.reduce((n, row) => n + (row.type === "hidden" ? row.spanCount : 0), 0);
        expect(found.length).toBeLessThanOrEqual(maxRows);
        expect(shownSpans + hidden).toBe(totalSpans);
        expect(totalSpans).toBe(tree.nodes.length);
      }),
    );
  });

  test("a span is never shown without its parent", () => {
    fc.assert(
      fc.property(trees, fc.integer({ min: 1, max: 40 }), (tree, maxRows) => {
        const shown = new Set<unknown>([undefined]);
        for (const row of pruneTree(tree, { maxRows }).rows) {
          if (row.type === "hidden") continue;
          expect(shown.has(row.node.parent)).toBe(true);
          shown.add(row.node);
        }
      }),
    );
  });
});
