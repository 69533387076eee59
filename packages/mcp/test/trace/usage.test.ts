import { describe, expect, test } from "vitest";
import { modelOf } from "../../src/trace/semconv.js";
import {
  costUsdOf,
  knownCostUsd,
  noUsage,
  sumUsage,
  tokensOf,
  usageOf,
} from "../../src/trace/usage.js";
import { span } from "./draw.js";

const reporting = (attributes: Record<string, string>) => span("chat", { attributes });

describe("tokens", () => {
  test("are read under the GenAI names and under AgentOps' older ones", () => {
    const newest = reporting({
      "gen_ai.usage.input_tokens": "9",
      "gen_ai.usage.output_tokens": "2",
    });
    const older = reporting({
      "gen_ai.usage.prompt_tokens": "9",
      "gen_ai.usage.completion_tokens": "2",
    });
    expect(tokensOf(newest)).toEqual({
      input: 9,
      output: 2,
      cacheRead: 0,
      cacheWrite: 0,
      reasoning: 0,
      total: 11,
    });
    expect(tokensOf(older)).toEqual(tokensOf(newest));
  });

  test("count cache and reasoning as parts, not on top", () => {
    const tokens = tokensOf(
      reporting({
        "gen_ai.usage.prompt_tokens": "100",
        "gen_ai.usage.completion_tokens": "50",
        "gen_ai.usage.cache_read_input_tokens": "80",
        "gen_ai.usage.cache_creation.input_tokens": "5",
        "gen_ai.usage.reasoning.output_tokens": "40",
      }),
    );
    expect(tokens).toMatchObject({ cacheRead: 80, cacheWrite: 5, reasoning: 40, total: 150 });
  });

  test("skip text that is no number", () => {
    const attributes = {
      "gen_ai.usage.input_tokens": "None",
      "gen_ai.usage.prompt_tokens": "12.0",
      "gen_ai.usage.total_tokens": "",
    };
    expect(tokensOf(reporting(attributes))).toMatchObject({ input: 12, total: 12 });
    expect(tokensOf(reporting({ "gen_ai.usage.input_tokens": "None" }))).toBeUndefined();
  });
});

test.each(["1e308", "-5", "4294967296", "1.5"])("%s tokens count as none", (count) => {
  const tokens = tokensOf(
    reporting({ "gen_ai.usage.input_tokens": count, "gen_ai.usage.output_tokens": "4294967295" }),
  );
  expect(tokens).toMatchObject({ input: 0, output: 4294967295, total: 4294967295 });
});

test.each(["1e308", "-5", "1000000.01"])("%s USD counts as nothing", (cost) => {
  expect(costUsdOf(reporting({ "gen_ai.usage.total_cost": cost }))).toBe(0);
  expect(costUsdOf(reporting({ "gen_ai.usage.total_cost": "1000000" }))).toBe(1_000_000);
});

describe("cost", () => {
  test("is the sum of the parts unless a total overrides it", () => {
    const parts = { "gen_ai.usage.prompt_cost": "9e-7", "gen_ai.usage.completion_cost": "0.5" };
    expect(costUsdOf(reporting(parts))).toBeCloseTo(0.500_000_9, 10);
    expect(costUsdOf(reporting({ ...parts, "gen_ai.usage.total_cost": "0.25" }))).toBe(0.25);
  });

  test("is unknown, not zero, where nothing reported one", () => {
    expect(costUsdOf(reporting({ "gen_ai.usage.total_tokens": "5" }))).toBeUndefined();
    expect(costUsdOf(reporting({ "gen_ai.usage.total_cost": "0.0" }))).toBe(0);
  });

  test("is known of a sum only where it is known of every part", () => {
    const priced = usageOf(reporting({ "gen_ai.usage.total_cost": "0.02" }));
    const unpriced = usageOf(reporting({ "gen_ai.usage.total_tokens": "1000000" }));

    expect(sumUsage([priced, unpriced])).toMatchObject({ costUsd: 0.02, unpricedCount: 1 });
    expect(knownCostUsd(sumUsage([priced, unpriced]))).toBeUndefined();
    expect(knownCostUsd(sumUsage([priced, noUsage, priced]))).toBe(0.04);
  });
});

test("a span that reports nothing shares one usage", () => {
  expect(usageOf(reporting({}))).toBe(noUsage);
});

test("the model that answered wins over the one asked for", () => {
  const attributes = { "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024" };
  expect(modelOf(reporting(attributes))).toBe("gpt-4o-2024");
});
