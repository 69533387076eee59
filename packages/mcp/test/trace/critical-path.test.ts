import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  criticalPath,
  criticalTimes,
  overhangToleranceMs,
  selfTimes,
} from "../../src/trace/critical-path.js";
import { summarizeTrace } from "../../src/trace/summary.js";
import { endUnixMs } from "../../src/trace/trace.js";
import { buildTree, type SpanTree } from "../../src/trace/tree.js";
import { columnMs, draw, epochUnixMs, nodeOf, span, trace } from "./draw.js";

/** `planner 0-2`: whose turn it was, in columns from the first start. */
function path(tree: SpanTree): string[] {
  const { startUnixMs: first } = summarizeTrace(tree);
  const column = (unixMs: number) => Math.round((unixMs - first) / columnMs);
  return criticalPath(tree).map(
    ({ node, startUnixMs, endUnixMs: end }) =>
      `${node.span.spanId} ${column(startUnixMs)}-${column(end)}`,
  );
}

const selfColumns = (tree: SpanTree, spanId: string) =>
  (selfTimes(tree)[nodeOf(tree, spanId).index] ?? 0) / columnMs;

describe("the critical path", () => {
  test("goes through children in sequence and back to their parent between them", () => {
    const tree = draw(`
      planner     [-----------]
        chat       [--]
        search          [---]
          fetch          [-]
    `);
    expect(path(tree)).toEqual([
      "planner 0-1",
      "chat 1-4",
      "planner 4-6",
      "search 6-7",
      "fetch 7-9",
      "search 9-10",
      "planner 10-12",
    ]);
  });

  test("follows the slowest of parallel children and leaves the others beside it", () => {
    const tree = draw(`
      planner     [-----------]
        fast       [--]
        slow       [------]
        medium      [---]
        after              [--]
    `);
    expect(path(tree)).toEqual(["planner 0-1", "slow 1-8", "planner 8-9", "after 9-12"]);
  });

  test("skips a child that its parent did not wait for", () => {
    const tree = draw(`
      session       [---------------]
        planner     [------]
          flush        [-------]
        writer              [----]
    `);
    expect(path(tree)).toEqual(["planner 0-7", "session 7-8", "writer 8-13", "session 13-16"]);
  });

  test("goes on into what outlasts every ancestor, from the moment the last of them ended", () => {
    const tree = draw(`
      session       [------]
        planner     [-----]
          flush        [--------]
    `);
    expect(path(tree)).toEqual(["planner 0-6", "session 6-7", "flush 7-12"]);
  });

  test("covers the children of a root that was ended at once, as the TypeScript SDK does", () => {
    const tree = draw(
      `
      session    [-]
        chat      [---]
        search         [--]
      `,
      { session: { durationMs: 0 } },
    );
    expect(path(tree)).toEqual(["chat 1-5", "search 6-9"]);
  });

  test("takes several roots one after the other, with a gap where nothing ran", () => {
    const tree = draw(`
      first     [---]
      second          [--]
    `);
    expect(path(tree)).toEqual(["first 0-4", "second 6-9"]);
  });

  test("clips a child of another service whose clock is off", () => {
    const tree = draw(
      `
      planner       [------]
        early     [---]
        late             [---]
      `,
      { early: { serviceName: "remote" }, late: { serviceName: "remote" } },
    );
    expect(path(tree)).toEqual(["early 2-4", "planner 4-7", "late 7-9"]);
  });

  test("lets children overlap by a rounding error and still takes both", () => {
    const overlapMs = overhangToleranceMs / 2;
    const tree = draw(
      `
      planner   [-------]
        chat    [--]
        search     [---]
      `,
      { chat: { durationMs: 3 * columnMs + overlapMs } },
    );
    expect(path(tree)).toEqual(["chat 0-3", "search 3-7", "planner 7-8"]);
  });

  test("is empty for an empty trace", () => {
    expect(criticalPath(buildTree(trace([])))).toEqual([]);
  });
});

describe("self time", () => {
  test("counts overlapping children once", () => {
    const tree = draw(`
      planner     [---------]
        a          [--]
        b           [---]
        c                 []
    `);
    expect(selfColumns(tree, "planner")).toBe(10 - 5 - 1);
    expect(selfColumns(tree, "b")).toBe(4);
  });

  test("leaves out children that were not waited for, and what sticks out of the parent", () => {
    const tree = draw(
      `
      planner       [------]
        flush         [-------]
        early     [---]
      `,
      { early: { serviceName: "remote" } },
    );
    expect(selfColumns(tree, "planner")).toBe(7 - 2);
  });
});

describe("for any trace", () => {
  const spans = fc.array(
    fc.record({
      parent: fc.nat(30),
      startUnixMs: fc.integer({ min: 0, max: 60 }).map((ms) => epochUnixMs + ms),
      durationMs: fc.integer({ min: 0, max: 60 }),
      serviceName: fc.constantFrom("one", "other"),
    }),
    { maxLength: 30 },
  );
  const treeOf = (parts: readonly { parent: number; startUnixMs: number; durationMs: number }[]) =>
    buildTree(
      trace(
        parts.map(({ parent, ...part }, i) =>
          span(`s${i}`, { ...part, parentSpanId: `s${parent}` }),
        ),
      ),
    );

  test("segments run forward without overlap, each within its span", () => {
    fc.assert(
      fc.property(spans, (parts) => {
        let until = Number.NEGATIVE_INFINITY;
        for (const { node, startUnixMs, endUnixMs: end } of criticalPath(treeOf(parts))) {
          expect(startUnixMs).toBeGreaterThanOrEqual(until);
          expect(end).toBeGreaterThan(startUnixMs);
          expect(startUnixMs).toBeGreaterThanOrEqual(node.span.startUnixMs);
          expect(end).toBeLessThanOrEqual(endUnixMs(node.span));
          until = end;
        }
      }),
    );
  });

  test("the path ends when the trace ends, and fills one root whose children stay inside", () => {
    fc.assert(
      fc.property(spans, (parts) => {
        const inside = parts.map((part) => ({ ...part, serviceName: "one" }));
        const root = { parent: 99, startUnixMs: epochUnixMs, durationMs: 200, serviceName: "one" };
        const tree = treeOf([root, ...inside.map((part) => ({ ...part, parent: 0 }))]);
        const onPathMs = criticalTimes(tree).reduce((sum, ms) => sum + ms, 0);
        expect(onPathMs).toBe(200);
        expect(criticalPath(tree).at(-1)?.endUnixMs).toBe(epochUnixMs + 200);
      }),
    );
  });

  test("a span's self time is between zero and its duration", () => {
    fc.assert(
      fc.property(spans, (parts) => {
        const tree = treeOf(parts);
        const times = selfTimes(tree);
        for (const { index, span: it } of tree.nodes) {
          expect(times[index]).toBeGreaterThanOrEqual(0);
          expect(times[index]).toBeLessThanOrEqual(it.durationMs);
        }
      }),
    );
  });
});
