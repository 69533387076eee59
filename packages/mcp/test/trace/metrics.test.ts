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
        duration: { p50Ms: 3 * columnMs, maxMs: 3 * columnMs },
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

// Read from ClickHouse: quantileExact(0.5), (0.95) and (0.99) over the numbers 1 to n.
test.each([
  [1, 1, 1, 1],
  [2, 2, 2, 2],
  [3, 2, 3, 3],
  [4, 3, 4, 4],
  [10, 6, 10, 10],
  [20, 11, 20, 20],
  [21, 11, 20, 21],
  [100, 51, 96, 100],
  [101, 51, 96, 100],
  [199, 100, 190, 198],
  [200, 101, 191, 199],
])("percentiles of 1 to %i are those of ClickHouse", (n, p50, p95, p99) => {
  const sorted = Float64Array.from({ length: n }, (_, i) => i + 1);
  expect([0.5, 0.95, 0.99].map((level) => percentile(sorted, level))).toEqual([p50, p95, p99]);
  expect(percentile(new Float64Array(), 0.5)).toBe(0);
});
