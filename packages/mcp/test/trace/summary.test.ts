import { describe, expect, test } from "vitest";
import { summarizeTrace } from "../../src/trace/summary.js";
import { buildTree } from "../../src/trace/tree.js";
import { columnMs, draw, span, trace } from "./draw.js";

const endingAs = (endState: string) => ({
  "run.session": { attributes: { "agentops.session.end_state": endState } },
});

describe("the status of a trace", () => {
  test("is failed when any span failed", () => {
    const tree = draw("run.session  [---]\n  a.tool  [-]  x\n  b.tool  [-]  ok");
    expect(summarizeTrace(tree).status).toBe("failed");
  });

  test("is ok when a span said so, though the root is UNSET as sessions are", () => {
    expect(summarizeTrace(draw("run.session  [---]\n  chat.llm  [-]  ok")).status).toBe("ok");
  });

  test("is unknown when nothing said how it went", () => {
    expect(summarizeTrace(draw("run.session  [---]\n  a.task  [-]")).status).toBe("unknown");
  });

  test("is unknown for an Indeterminate end, which a raised exception leaves too", () => {
    const tree = draw("run.session  [---]\n  chat.llm  [-]  ok", endingAs("Indeterminate"));
    expect(summarizeTrace(tree)).toMatchObject({ status: "unknown", endState: "Indeterminate" });
  });

  test("is the user's verdict where there is one", () => {
    const recovered = draw("run.session  [---]\n  a.tool  [-]  x", endingAs("Success"));
    const wrong = draw("run.session  [---]\n  a.tool  [-]  ok", endingAs("Error"));
    expect(summarizeTrace(recovered)).toMatchObject({ status: "ok", errorCount: 1 });
    expect(summarizeTrace(wrong)).toMatchObject({ status: "failed", errorCount: 0 });
  });

  test("is the worst verdict of several roots, whatever their order", () => {
    const ending = (endState: string) => ({
      attributes: { "agentops.session.end_state": endState },
    });
    for (const [a, b] of [
      ["Success", "Fail"],
      ["Fail", "Success"],
    ] as const) {
      const tree = buildTree(trace([span("a", ending(a)), span("b", ending(b))]));
      expect(summarizeTrace(tree)).toMatchObject({ status: "failed", endState: "Fail" });
    }
  });
});

test("a trace lasts from the first start to the last end of any span", () => {
  const tree = draw(
    `
    late.tool           [---]
    run.session    [--]
      flush.task      [-----]
    `,
    { "late.tool": { parentSpanId: "missing" } },
  );
  const summary = summarizeTrace(tree);
  expect(summary.durationMs).toBe(9 * columnMs);
  expect(summary.root?.span.spanId).toBe("run.session");
  expect(summary.spanCount).toBe(3);
});

test("the root is the earliest orphan when no root arrived", () => {
  const tree = buildTree(trace([span("a", { parentSpanId: "missing" })]));
  expect(summarizeTrace(tree).root?.span.spanId).toBe("a");
});

test("an empty trace has no root and no duration", () => {
  expect(summarizeTrace(buildTree(trace([])))).toMatchObject({
    status: "unknown",
    root: undefined,
    durationMs: 0,
    spanCount: 0,
  });
});
