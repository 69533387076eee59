import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AlignedStep, alignSteps, maxAlignedSteps } from "../../src/trace/align.js";
import { type ComparedStep, compareTraces, firstChangedMessage } from "../../src/trace/compare.js";
import { buildTree, type SpanTree } from "../../src/trace/tree.js";
import { draw, epochUnixMs, span, trace } from "./draw.js";
import { spentMs } from "./large.js";

/** Tool calls in sequence: `search:x` is tool search with argument x. */
function calling(calls: readonly string[]): SpanTree {
  return buildTree(
    trace(
      calls.map((call, i) => {
        const [name = "", input = ""] = call.split(":");
        return span(`${i}`, {
          name: `${name}.tool`,
          startUnixMs: epochUnixMs + i,
          attributes: { "agentops.tool.input": `"${input}"` },
        });
      }),
    ),
  );
}

const step = (node: { span: { name: string; attributes: Record<string, string> } }) =>
  `${node.span.name.replace(".tool", "")}:${(node.span.attributes["agentops.tool.input"] ?? "").replaceAll('"', "")}`;

function told(aligned: AlignedStep): string {
  if (aligned.type === "only_a") return `- ${step(aligned.a)}`;
  if (aligned.type === "only_b") return `+ ${step(aligned.b)}`;
  return step(aligned.a) === step(aligned.b)
    ? `= ${step(aligned.a)}`
    : `~ ${step(aligned.a)} ${step(aligned.b)}`;
}

const align = (a: readonly string[], b: readonly string[]) =>
  alignSteps(calling(a).nodes, calling(b).nodes).steps.map(told);

describe("an alignment", () => {
  test("pairs steps of one role in order", () => {
    expect(
      align(["plan:", "search:x", "write:"], ["plan:", "search:y", "check:", "write:"]),
    ).toEqual(["= plan:", "~ search:x search:y", "+ check:", "= write:"]);
  });

  test("prefers equal inputs to more pairs that are alike in name only", () => {
    expect(align(["s:1", "s:2", "s:3"], ["s:2", "s:3", "s:4"])).toEqual([
      "- s:1",
      "= s:2",
      "= s:3",
      "+ s:4",
    ]);
  });

  test("knows a model call by its agent, whatever the model", () => {
    const using = (name: string) =>
      draw(`Planner.agent  [---]\n  ${name}.llm  [-]`, {
        [`${name}.llm`]: { attributes: { "gen_ai.request.model": name } },
      });
    const { steps } = alignSteps(using("gpt-4o").nodes, using("gpt-4o-mini").nodes);
    expect(steps.map(({ type }) => type)).toEqual(["both", "both"]);
  });

  test("takes every step once and never crosses", () => {
    const calls = fc.array(fc.constantFrom("a:1", "a:2", "b:1", "b:2", "c:1"), { maxLength: 12 });
    fc.assert(
      fc.property(calls, calls, (a, b) => {
        const [nodesA, nodesB] = [calling(a).nodes, calling(b).nodes];
        const { steps } = alignSteps(nodesA, nodesB);
        expect(steps.flatMap((it) => (it.type === "only_b" ? [] : [it.a]))).toEqual(nodesA);
        expect(steps.flatMap((it) => (it.type === "only_a" ? [] : [it.b]))).toEqual(nodesB);
        const isOneRole = steps.every(
          (it) => it.type !== "both" || it.a.span.name === it.b.span.name,
        );
        expect(isOneRole).toBe(true);
      }),
    );
  });

  test("of a sequence with itself pairs every step", () => {
    const calls = fc.array(fc.constantFrom("a:1", "a:2", "b:1"), { maxLength: 20 });
    fc.assert(
      fc.property(calls, (it) => {
        expect(align(it, it)).toEqual(it.map((call) => `= ${call}`));
      }),
    );
  });

  test("is bounded, says so, and takes two seconds at most", () => {
    const beyond = maxAlignedSteps + 100;
    const tools = (shift: number) =>
      Array.from({ length: beyond }, (_, i) => `t${(i * 7 + shift * i) % 31}:${i % 13}`);
    const [a, b] = [calling(tools(0)).nodes, calling(tools(1).toReversed()).nodes];
    expect(spentMs(() => alignSteps(a, b))).toBeLessThan(2000);
    const { steps, leftOver } = alignSteps(a, b);
    const paired = steps.filter(({ type }) => type === "both").length;
    expect(paired).toBeGreaterThan(0);
    const headAndTail = steps.length + paired - 2 * maxAlignedSteps;
    expect(leftOver.a).toBe(beyond - maxAlignedSteps - headAndTail / 2);
    expect(leftOver.b).toBe(leftOver.a);
  });
});

describe("two runs", () => {
  const io = (input: string, output: string) => ({
    "agentops.entity.input": input,
    "agentops.entity.output": output,
  });
  const run = (parts: Parameters<typeof draw>[1] = {}) =>
    draw(
      `
      run.session           [------------]
        Planner.agent       [-----------]
          gpt-4o.llm        [--]           ok
          search.tool          [-]
          gpt-4o.llm#2            [--]     ok
      `,
      {
        "run.session": { attributes: io("question", "answer") },
        "search.tool": {
          attributes: { "agentops.tool.input": '"rome"', "agentops.tool.output": "1" },
        },
        ...parts,
      },
    );

  const divergence = (it: ComparedStep | undefined) =>
    it && `${it.type === "only_b" ? it.b.span.spanId : it.a.span.spanId}: ${it.changes.join()}`;

  test("that are alike do not diverge", () => {
    const { firstDivergence, comparability, a } = compareTraces(run(), run());
    expect(firstDivergence).toBeUndefined();
    expect(comparability).toEqual({ isComparable: true, reason: "alike", alignedShare: 1 });
    expect(a).toMatchObject({
      llmCallCount: 2,
      toolCallCount: 1,
      agents: ["Planner"],
      spanCount: 5,
    });
  });

  test("diverge at the child that made its parents' outputs differ", () => {
    const other = run({
      "run.session": { attributes: io("question", "other answer") },
      "search.tool": {
        attributes: { "agentops.tool.input": '"rome"', "agentops.tool.output": "2" },
      },
    });
    const { firstDivergence, steps } = compareTraces(run(), other);
    expect(divergence(firstDivergence)).toBe("search.tool: output");
    expect(steps[0]?.changes).toEqual(["output"]);
  });

  test("diverge where an input was different from the start", () => {
    const other = run({ "run.session": { attributes: io("other question", "answer") } });
    expect(divergence(compareTraces(run(), other).firstDivergence)).toBe("run.session: input");
  });

  test("may differ in model and in status", () => {
    const using = (name: string) => ({ attributes: { "gen_ai.request.model": name } });
    const [a, b] = [
      run({ "gpt-4o.llm": using("gpt-4o") }),
      run({ "gpt-4o.llm": { ...using("gpt-5"), name: "gpt-5.llm", status: "error" } }),
    ];
    expect(divergence(compareTraces(a, b).firstDivergence)).toBe("gpt-4o.llm: model,status");
  });

  test("do not differ in the addresses of their objects", () => {
    const [a, b] = ["0x7f3a2b4c5d60", "0x7ffe01020304"].map((address) =>
      run({ "search.tool": { attributes: { "agentops.tool.input": `["<Tool at ${address}>"]` } } }),
    );
    expect(a && b && compareTraces(a, b).firstDivergence).toBeUndefined();
  });

  test.each<[string, SpanTree, SpanTree, string]>([
    ["empty", run(), buildTree(trace([])), "empty"],
    [
      "of different agents",
      run(),
      draw("run.session [--]\n  Writer.agent [-]"),
      "different_agents",
    ],
    [
      "of different roots",
      calling(["a:", "b:", "c:"]),
      calling(["x:", "y:", "z:"]),
      "different_roots",
    ],
    ["too unlike", calling(["a:", "b:", "c:"]), calling(["a:", "y:", "z:"]), "few_common_steps"],
  ])("%s are not comparable", (_case, a, b, reason) => {
    expect(compareTraces(a, b).comparability).toMatchObject({ isComparable: false, reason });
  });
});

describe("the first changed message", () => {
  const asking = (...contents: readonly string[]) =>
    span("chat", {
      attributes: Object.fromEntries(contents.map((it, i) => [`gen_ai.prompt.${i}.content`, it])),
    });

  test("is the first that differs, or that only one prompt has", () => {
    expect(firstChangedMessage(asking("a", "b"), asking("a", "c"))).toMatchObject({
      index: 1,
      a: { content: "b" },
      b: { content: "c" },
    });
    expect(firstChangedMessage(asking("a"), asking("a", "b"))).toMatchObject({
      index: 1,
      a: undefined,
      b: { content: "b" },
    });
    expect(firstChangedMessage(asking("a"), asking("a"))).toBeUndefined();
  });
});
