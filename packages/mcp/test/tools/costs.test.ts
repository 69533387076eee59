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
  run("priced", nowUnixMs - 1_000, [modelCall([1_000, 2_000])]),
]);

describe("a cost is written alike everywhere: $? where it is not known, $0 where it is nothing", () => {
  test.each([
    ["unpriced", "$?"],
    ["callless", "$0"],
    ["gratis", "$0"],
    ["priced", "$0.022"],
  ])("in the list and the metrics of %s: %s", async (key, cost) => {
    const { call } = await connect();
    const { text: list } = await call("list_traces", { query: key });
    const { text: metrics } = await call("trace_metrics", { trace_ids: [traceIdOf(key)] });

    expect(list).toContain(` | ${cost} | ${key}.workflow`);
    expect(metrics).toContain(` | ${cost}\n`);
  });

  test("in the metrics that the database adds up", async () => {
    const { text } = await (await connect()).call("trace_metrics", { query: "unpriced" });

    expect(text).toContain("Added up in the database.");
    expect(text).toContain(" | $?\n");
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

  test("in what changed from one run to another", async () => {
    const { call } = await connect();
    const ids = { a: traceIdOf("unpriced"), b: traceIdOf("priced") };
    const { text } = await call("compare_traces", ids);

    expect(text).toContain("; cost $? → $0.022; ");
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

  test("in a list that does not tell nothing from not known", async () => {
    const { ask } = await scriptedApi([trace([span("root")])]);
    const { text } = await ask("list_traces", { view: "table" });

    expect(text).toContain(" | 0 | $? | root");
  });
});
