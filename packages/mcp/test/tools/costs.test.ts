import { describe, expect, test } from "vitest";
import { modelAttributes, type Run, type Step, traceIdOf } from "../runs/run.js";
import { span, trace } from "../trace/draw.js";
import { localWithRuns } from "./own-local.js";
import { scriptedApi } from "./scripted-api.js";

/** A model call at this price per million tokens; without one, of a model that nobody has a price for. */
function modelCall(price?: readonly [number, number]): Step {
  const attributes = modelAttributes({
    model: "own-model",
    prompt: [{ role: "user", content: "Hello" }],
    completion: "Hello",
    inputTokens: 12,
    outputTokens: 5,
    ...(price && { price }),
  });
  return { name: "chat own-model", ms: 900, attributes };
}

const run = (key: string, startUnixMs: number, children: readonly Step[]): Run => ({
  key,
  startUnixMs,
  root: { name: `${key}.workflow`, children },
});

const connect = localWithRuns((nowUnixMs) => [
  run("unpriced", nowUnixMs - 4_000, [modelCall()]),
  run("callless", nowUnixMs - 3_000, [{ name: "step.task", ms: 5 }]),
  run("gratis", nowUnixMs - 2_000, [modelCall([0, 0])]),
  run("mixed", nowUnixMs - 1_500, [modelCall([1_000, 2_000]), modelCall()]),
  run("priced", nowUnixMs - 1_000, [modelCall([1_000, 2_000])]),
]);

describe("a cost is written alike everywhere: $? where it is not known, ≥ where a part is not, $0 where it is nothing", () => {
  test.each([
    ["unpriced", "$?"],
    ["callless", "$0"],
    ["gratis", "$0"],
    ["mixed", "≥$0.022"],
    ["priced", "$0.022"],
  ])("in the list and the metrics of %s: %s", async (key, cost) => {
    const { call } = await connect();
    const { text: list } = await call("list_traces", { query: key });
    const { text: metrics } = await call("trace_metrics", { trace_ids: [traceIdOf(key)] });

    expect(list).toContain(` | ${cost} | ${key}.workflow`);
    expect(metrics).toContain(` | ${cost}\n`);
  });

  test.each([
    ["unpriced", "$?"],
    ["mixed", "≥$0.022"],
  ])("in the metrics of %s that the database adds up: %s", async (key, cost) => {
    const { text } = await (await connect()).call("trace_metrics", { query: key });

    expect(text).toContain("Added up in the database.");
    expect(text).toContain(` | ${cost}\n`);
    expect(text).toContain("1 model call reported tokens but no cost: the sum is too low.");
  });

  test("in heads and lines of one trace, where nothing is left out", async () => {
    const { call } = await connect();
    for (const [tool, args] of [
      ["trace_detail", { view: "tree" }],
      ["diagnose_trace", {}],
    ] as const) {
      const { text } = await call(tool, { ...args, trace_id: traceIdOf("unpriced") });
      expect(text).toMatch(/^Trace \w+: unknown, 900 ms, 2 spans, 0 errors, 12\+5 tok \$\?, /);
      expect(text).toMatch(/^.+ 12\+5 tok \$\? .*\[\w+\]$/m);
    }
    const { text } = await call("trace_detail", { view: "tree", trace_id: traceIdOf("callless") });
    expect(text).not.toContain("$");
  });

  test("in heads of one trace of which a part has no known price", async () => {
    const { call } = await connect();
    const mixed = { trace_id: traceIdOf("mixed") };
    const { text: tree } = await call("trace_detail", { ...mixed, view: "tree" });
    const { text: diagnosis } = await call("diagnose_trace", mixed);

    expect(tree).toContain(", 24+10 tok ≥$0.022, started ");
    expect(diagnosis).toContain(", 24+10 tok ≥$0.022, started ");
    expect(diagnosis).toContain("100 % 24+10 tok ≥$0.022 2× llm chat own-model, most 12+5 tok");
    expect(diagnosis).toContain("all: 2 model calls, 34 tok, ≥$0.022\n");
  });

  test.each([
    ["unpriced", "$?"],
    ["mixed", "≥$0.022"],
  ])("in what changed from %s to another run: from %s", async (key, cost) => {
    const { call } = await connect();
    const ids = { a: traceIdOf(key), b: traceIdOf("priced") };
    const { text } = await call("compare_traces", ids);

    expect(text).toContain(`; cost ${cost} → $0.022; `);
    expect(text).not.toContain("+$");
  });

  test("in the medians of failing and other runs", async () => {
    const failing = span("x", {
      status: "error",
      attributes: { "gen_ai.usage.total_tokens": "9" },
    });
    const { ask } = await scriptedApi([
      trace([failing]),
      trace([span("y", { status: "ok" })], { traceId: "f".repeat(32) }),
    ]);
    const { text } = await ask("find_failures");

    expect(text).toContain("median of failing: 0 µs, 1 span, 9 tok, $?");
    expect(text).toContain("median of others: 0 µs, 1 span, 0 tok, $0");
  });

  test("in medians over runs of which one has a call without a known price", async () => {
    const costs = { "gen_ai.usage.total_cost": "0.5" };
    const priced = span("y", { attributes: costs });
    const unpriced = span("z", { attributes: { "gen_ai.usage.total_tokens": "9" } });
    const { ask } = await scriptedApi([
      trace([priced]),
      trace([priced, unpriced], { traceId: "f".repeat(32) }),
      trace([span("x", { status: "error" })], { traceId: "e".repeat(32) }),
    ]);
    const { text } = await ask("find_failures");

    expect(text).toContain("median of others: 0 µs, 2 spans, 5 tok, ≥$0.5");
  });

  test("in a list that does not tell nothing from not known", async () => {
    const { ask } = await scriptedApi([trace([span("root")])]);
    const { text } = await ask("list_traces", { view: "table" });

    expect(text).toContain(" | 0 | $? | root");
  });
});
