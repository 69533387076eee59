import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ancestorsOf, buildTree, type SpanTree, subtreeOf } from "../../src/trace/tree.js";
import { draw, epochUnixMs, nodeOf, outline, span, trace } from "./draw.js";

const usage = (tokens: number, costUsd?: number) => ({
  "gen_ai.usage.total_tokens": String(tokens),
  ...(costUsd === undefined ? {} : { "gen_ai.usage.total_cost": String(costUsd) }),
});

describe("the shape", () => {
  test("is depth first, siblings by start time", () => {
    const tree = draw(`
      default.session      [--------------]
        planner.agent      [-----------]
          search.tool          [--]
          gpt-4o.llm        [-]
        writer.agent                   [-]
    `);
    expect(outline(tree)).toBe(
      [
        "default.session",
        "  planner.agent",
        "    gpt-4o.llm",
        "    search.tool",
        "  writer.agent",
      ].join("\n"),
    );
    const planner = nodeOf(tree, "planner.agent");
    expect(subtreeOf(tree, planner).map(({ span: { spanId } }) => spanId)).toEqual([
      "planner.agent",
      "gpt-4o.llm",
      "search.tool",
    ]);
    expect(ancestorsOf(nodeOf(tree, "search.tool"))).toEqual([tree.roots[0], planner]);
  });

  test("keeps several roots, and spans whose parent never arrived", () => {
    const tree = draw(
      `
      first.session   [----]
      late.tool         [-]
        inner.llm       [-]
      second.session         [--]
      `,
      { "late.tool": { parentSpanId: "never-arrived" } },
    );
    expect(tree.roots.map(({ link, span: { spanId } }) => [spanId, link])).toEqual([
      ["first.session", "root"],
      ["late.tool", "orphan"],
      ["second.session", "root"],
    ]);
    expect(nodeOf(tree, "inner.llm").link).toBe("child");
  });

  test("cuts a cycle once and keeps what hangs below it", () => {
    const tree = buildTree(
      trace([
        span("a", { parentSpanId: "c" }),
        span("b", { parentSpanId: "a" }),
        span("c", { parentSpanId: "b" }),
        span("below", { parentSpanId: "b" }),
        span("self", { parentSpanId: "self" }),
      ]),
    );
    expect(outline(tree)).toBe("a\n  b\n    c\n    below\nself");
    expect(tree.roots.map(({ link }) => link)).toEqual(["cycle", "cycle"]);
  });

  test("keeps the first of two spans with one id", () => {
    const tree = buildTree(trace([span("a", { name: "first" }), span("a", { name: "second" })]));
    expect(tree.nodes.map((node) => node.span.name)).toEqual(["first"]);
  });

  test("is empty for a trace without spans", () => {
    expect(buildTree(trace([]))).toMatchObject({ roots: [], nodes: [] });
  });
});

test("a span works for its nearest agent", () => {
  const tree = draw(`
    crew.workflow          [------------]
      Researcher.agent     [-----]
        search.tool          [-]
        Helper.agent            [-]
          gpt-4o.llm            [-]
      Writer.agent                [-----]
        gpt-4o.llm#2              [--]
  `);
  const agents = tree.nodes.map(({ agent }) => agent);
  expect(agents).toEqual([
    undefined,
    "Researcher",
    "Researcher",
    "Helper",
    "Helper",
    "Writer",
    "Writer",
  ]);
});

describe("subtree totals", () => {
  test("count spans and errors", () => {
    const tree = draw(`
      run.session     [---------]
        step.task      [----]      x
          search.tool   [-]        x
        step.task#2          [-]
    `);
    expect(nodeOf(tree, "step.task").subtree).toMatchObject({ spanCount: 2, errorCount: 2 });
    expect(nodeOf(tree, "run.session").subtree).toMatchObject({ spanCount: 4, errorCount: 2 });
  });

  test("count CrewAI's tokens once, though its root carries the sum", () => {
    const tree = draw(
      `
      crewai.workflow             [----------]
        Researcher.agent          [---]
          ollama/llama3.llm       [--]
        Songwriter.agent               [----]
          ollama/llama3.llm#2          [--]
      `,
      {
        "crewai.workflow": { attributes: usage(977) },
        "ollama/llama3.llm": { attributes: usage(293) },
        "ollama/llama3.llm#2": { attributes: usage(684) },
      },
    );
    const root = nodeOf(tree, "crewai.workflow");
    expect(root.subtree.usage).toMatchObject({ tokens: { total: 977 }, costUsd: undefined });
    expect(root.own.tokens.total).toBe(0);
    expect(nodeOf(tree, "ollama/llama3.llm#2").own.tokens.total).toBe(684);
  });

  test("count calls without a known price once, and no sum of calls that have one", () => {
    const drawn = (session: number, second?: number) =>
      draw("run.workflow  [---]\n  one.llm  [-]\n  two.llm   [-]", {
        "run.workflow": { attributes: usage(session) },
        "one.llm": { attributes: usage(60, 0.5) },
        "two.llm": { attributes: usage(40, second) },
      });
    const unpricedCount = (tree: SpanTree) =>
      nodeOf(tree, "run.workflow").subtree.usage.unpricedCount;

    expect(unpricedCount(drawn(100, 0.25))).toBe(0);
    expect(unpricedCount(drawn(100))).toBe(1);
    expect(unpricedCount(drawn(130))).toBe(2);
  });

  test("keep what a parent reports beyond its descendants as the parent's own", () => {
    const tree = draw("team.workflow  [---]\n  gpt-4o.llm  [-]", {
      "team.workflow": { attributes: usage(100) },
      "gpt-4o.llm": { attributes: usage(60) },
    });
    expect(nodeOf(tree, "team.workflow").own.tokens.total).toBe(40);
  });

  test("add a tool's own price to what runs inside it", () => {
    const tree = draw("search.tool  [---]\n  gpt-4o.llm  [-]", {
      "search.tool": { attributes: { "gen_ai.usage.total_cost": "0.25" } },
      "gpt-4o.llm": { attributes: usage(60, 0.5) },
    });
    expect(nodeOf(tree, "search.tool").subtree.usage.costUsd).toBe(0.75);
    expect(nodeOf(tree, "search.tool").own.costUsd).toBe(0.25);
  });
});

describe("for any set of spans", () => {
  const ids = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
  const spans = fc.array(
    fc.record({
      spanId: ids,
      parentSpanId: fc.option(fc.oneof(ids, fc.constant("missing")), { nil: undefined }),
      startUnixMs: fc.integer({ min: epochUnixMs, max: epochUnixMs + 20 }),
      attributes: fc.integer({ min: 0, max: 9 }).map((tokens) => usage(tokens, tokens / 8)),
    }),
  );

  test("the tree holds every span once, each below its parent", () => {
    fc.assert(
      fc.property(spans, (parts) => {
        const tree = buildTree(trace(parts.map((part) => span(part.spanId, part))));
        const held = tree.nodes.map((node) => node.span.spanId);
        expect(held.toSorted()).toEqual([...new Set(parts.map(({ spanId }) => spanId))].toSorted());
        for (const node of tree.nodes) {
          expect(tree.nodes[node.index]).toBe(node);
          expect(node.depth).toBe(ancestorsOf(node).length);
          expect(node.link === "child").toBe(node.parent !== undefined);
        }
      }),
    );
  });

  test("the spans' own usage adds up to the roots' subtrees", () => {
    fc.assert(
      fc.property(spans, (parts) => {
        const { nodes, roots } = buildTree(trace(parts.map((part) => span(part.spanId, part))));
        const own = nodes.reduce((sum, node) => sum + node.own.tokens.total, 0);
        const below = roots.reduce((sum, root) => sum + root.subtree.usage.tokens.total, 0);
        expect(own).toBe(below);
      }),
    );
  });
});
