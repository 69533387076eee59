import { describe, expect, test } from "vitest";
import { aggregateMetrics, percentile } from "../../src/trace/metrics.js";
import { buildTree } from "../../src/trace/tree.js";
import { columnMs, draw, epochUnixMs, span, trace } from "./draw.js";

const model = (name: string, tokens: number, costUsd?: number) => ({
  attributes: {
    "gen_ai.request.model": name,
    "gen_ai.usage.total_tokens": String(tokens),
    ...(costUsd === undefined ? {} : { "gen_ai.usage.total_cost": String(costUsd) }),
  },
});

const tree = draw(
  `
  run.session           [-----------------]
    Planner.agent       [------------]
      one.llm           [-]                  ok
      search.tool         [-]                x
      Helper.agent           [---]
        two.llm              [--]            ok
    three.llm                          [-]   ok
  `,
  {
    "one.llm": model("gpt-4o", 100, 1),
    "two.llm": model("gpt-4o", 50, 0.5),
    "three.llm": model("llama3", 7),
  },
);

describe("metrics", () => {
  test("by model count model calls", () => {
    expect(aggregateMetrics([tree], "model")).toMatchObject([
      {
        key: "gpt-4o",
        count: 2,
        errorCount: 0,
        duration: { p50Ms: 2.5 * columnMs, maxMs: 3 * columnMs },
        usage: { tokens: { total: 150 }, costUsd: 1.5, unpricedCount: 0 },
      },
      { key: "llama3", count: 1, usage: { costUsd: undefined, unpricedCount: 1 } },
    ]);
  });

  test("by agent count agent runs, each with what ran for it", () => {
    expect(aggregateMetrics([tree], "agent")).toMatchObject([
      { key: "Helper", count: 1, usage: { tokens: { total: 50 } } },
      { key: "Planner", count: 1, usage: { tokens: { total: 100 } } },
    ]);
  });

  test("by tool count tool calls and their failures", () => {
    expect(aggregateMetrics([tree, tree], "tool")).toMatchObject([
      { key: "search", count: 2, errorCount: 2 },
    ]);
  });

  test("by span name count every span", () => {
    const rows = aggregateMetrics([tree], "span_name");
    expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(tree.nodes.length);
  });

  test("by status, by day and all together count traces", () => {
    const nextDay = buildTree(
      trace([span("run", { startUnixMs: epochUnixMs + 86_400_000, status: "ok" })]),
    );
    expect(aggregateMetrics([tree, nextDay], "status")).toMatchObject([
      { key: "failed", count: 1, errorCount: 1, usage: { tokens: { total: 157 } } },
      { key: "ok", count: 1, errorCount: 0 },
    ]);
    expect(aggregateMetrics([tree, nextDay], "day").map(({ key }) => key)).toEqual([
      "2023-11-14",
      "2023-11-15",
    ]);
    expect(aggregateMetrics([tree, nextDay], "all")).toMatchObject([
      { key: "all", count: 2, errorCount: 1, usage: { unpricedCount: 1 } },
    ]);
  });

  test("of no traces are no rows", () => {
    expect(aggregateMetrics([], "all")).toEqual([]);
  });
});

// Read from ClickHouse: quantileExactInclusive(0.5), (0.95) and (0.99) over the numbers 1 to n.
test.each([
  [1, 1, 1, 1],
  [2, 1.5, 1.95, 1.99],
  [3, 2, 2.9, 2.98],
  [4, 2.5, 3.85, 3.97],
  [21, 11, 20, 20.8],
  [100, 50.5, 95.05, 99.01],
  [101, 51, 96, 100],
])("percentiles of 1 to %i are those of ClickHouse", (n, ...expected) => {
  const sorted = Float64Array.from({ length: n }, (_, i) => i + 1);
  for (const [i, level] of [0.5, 0.95, 0.99].entries()) {
    expect(percentile(sorted, level)).toBeCloseTo(expected[i] ?? Number.NaN, 9);
  }
});

test("percentiles of no values are zero", () => {
  expect(percentile(new Float64Array(), 0.5)).toBe(0);
});
