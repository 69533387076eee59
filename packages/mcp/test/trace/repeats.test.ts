import { describe, expect, test } from "vitest";
import { toolCalls } from "../../src/trace/calls.js";
import { findLoops, maxLoopSteps, minLoopRounds } from "../../src/trace/loops.js";
import { repeatedCalls } from "../../src/trace/repeats.js";
import { createSpendMeter, spendAfterFirstFailure } from "../../src/trace/spend.js";
import { summarizeTrace } from "../../src/trace/summary.js";
import { buildTree } from "../../src/trace/tree.js";
import { columnMs, draw, epochUnixMs, span, trace } from "./draw.js";

const tool = (input: string, output = "found") => ({
  attributes: {
    "agentops.span.kind": "tool",
    "agentops.tool.input": input,
    "agentops.tool.output": output,
  },
});

/** Tool calls one after the other, 10 ms apart: `search:x` is tool search with argument x. */
function calling(...calls: readonly string[]) {
  const spans = calls.map((call, i) => {
    const [name = "", input = ""] = call.split(":");
    return span(`${i}`, {
      name: `${name}.tool`,
      startUnixMs: epochUnixMs + i * 10,
      durationMs: 5,
      ...tool(`{"q":"${input}"}`),
    });
  });
  return buildTree(trace(spans));
}

describe("tool calls", () => {
  test("are told once where the model's request and the execution both have a span", () => {
    const tree = draw(
      `
      openai.chat.completion   [--]
        tool_call.search          []
        tool_call.hosted          []
      search.tool                  [--]
        search.tool_usage          [-]
      `,
      {
        "tool_call.search": tool('{"q":"x"}'),
        "tool_call.hosted": tool("{}"),
        "search.tool": tool('{"args":[],"kwargs":{"q":"x"}}'),
      },
    );
    expect(toolCalls(tree).map(({ node }) => node.span.spanId)).toEqual([
      "tool_call.hosted",
      "search.tool",
    ]);
  });
});

describe("repeated calls", () => {
  test("have the same tool and the same arguments, however these are spelled", () => {
    const tree = draw(
      `
      search.tool      [-]
      search.tool#2       [-]
      search.tool#3          [-]
      fetch.tool                [-]
      `,
      {
        "search.tool": tool('{"q": "x", "n": 1}'),
        "search.tool#2": tool('{"n":1,"q":"x"}'),
        "search.tool#3": tool('{"n":2,"q":"x"}'),
        "fetch.tool": tool('{"n":1,"q":"x"}'),
      },
    );
    const [repeated, ...others] = repeatedCalls(tree);
    expect(others).toEqual([]);
    expect(repeated).toMatchObject({
      kind: "tool",
      name: "search",
      input: '{"n":1,"q":"x"}',
      failedCount: 0,
      retryCount: 0,
      hasRecovered: false,
      hasOneOutput: true,
      repeatedMs: 2 * columnMs,
    });
  });

  test("are retries when the one before failed", () => {
    const tree = draw(
      `
      fetch.tool      [-]       x
      fetch.tool#2       [-]    x
      fetch.tool#3          [-]
      `,
      {
        "fetch.tool": tool("{}", ""),
        "fetch.tool#2": tool("{}", ""),
        "fetch.tool#3": tool("{}"),
      },
    );
    expect(repeatedCalls(tree)).toMatchObject([
      { failedCount: 2, retryCount: 2, hasRecovered: true, hasOneOutput: false },
    ]);
  });

  test("may be model calls with one prompt", () => {
    const chat = {
      attributes: {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.prompt": "Hi",
        "gen_ai.usage.total_tokens": "7",
      },
    };
    const tree = draw("a.llm  [-]\nb.llm     [-]\nc.llm        [-]", {
      "a.llm": chat,
      "b.llm": chat,
      "c.llm": chat,
    });
    expect(repeatedCalls(tree)).toMatchObject([
      { kind: "llm", name: "gpt-4o", repeatedUsage: { tokens: { total: 14 } } },
    ]);
  });

  test("are not claimed of calls whose input was not recorded", () => {
    expect(repeatedCalls(draw("search.tool  [-]\nsearch.tool#2   [-]"))).toEqual([]);
  });
});

describe("loops", () => {
  const shown = (...calls: readonly string[]) =>
    findLoops(calling(...calls)).map(
      ({ steps, rounds }) => `${rounds} × ${steps.map((node) => node.span.name).join(", ")}`,
    );

  test("repeat the same steps with the same arguments", () => {
    const round = ["search:x", "open:y"];
    expect(shown("plan:", ...round, ...round, ...round, "end:")).toEqual([
      "3 × search.tool, open.tool",
    ]);
  });

  test("are told by their shortest cycle", () => {
    expect(shown(...Array<string>(6).fill("poll:"))).toEqual(["6 × poll.tool"]);
  });

  test("are not claimed of tools whose arguments were not recorded", () => {
    expect(findLoops(draw("a.tool  [-]\na.tool#2   [-]\na.tool#3    [-]"))).toEqual([]);
  });

  test("need three rounds, and no change in the arguments", () => {
    expect(shown("a:", "b:", "a:", "b:", "a:")).toEqual([]);
    expect(shown("a:1", "a:2", "a:3", "a:4")).toEqual([]);
    expect(minLoopRounds).toBe(3);
  });

  test("are found up to their longest cycle", () => {
    const cycle = Array.from({ length: maxLoopSteps }, (_, i) => `t${i}:`);
    expect(shown(...cycle, ...cycle, ...cycle)).toHaveLength(1);
    expect(shown(...["x:", ...cycle], ...["x:", ...cycle], ...["x:", ...cycle])).toEqual([]);
  });

  test("two of them are both told", () => {
    expect(shown("a:", "a:", "a:", "b:", "c:", "b:", "c:", "b:", "c:")).toEqual([
      "3 × a.tool",
      "3 × b.tool, c.tool",
    ]);
  });

  test("may be agents handing over to each other", () => {
    const tree = draw(`
      run.session          [---------------]
        Triage.agent       [-]
        Booking.agent        [-]
        Triage.agent#2         [-]
        Booking.agent#2          [-]
        Triage.agent#3             [-]
        Booking.agent#3              [-]
    `);
    expect(findLoops(tree)).toMatchObject([
      { rounds: 3, repeatedSpend: { durationMs: 8 * columnMs } },
    ]);
  });

  test("spend what runs between their steps, from the second round on", () => {
    const spans = calling("poll:", "poll:", "poll:").nodes.map((node) => node.span);
    const chat = (at: number) =>
      span(`chat-${at}.llm`, {
        startUnixMs: epochUnixMs + at,
        attributes: { "gen_ai.usage.total_tokens": "100" },
      });
    const tree = buildTree(trace([...spans, chat(7), chat(17), chat(27)]));
    expect(findLoops(tree)[0]?.repeatedSpend).toMatchObject({
      durationMs: 15,
      spanCount: 3,
      usage: { tokens: { total: 100 } },
    });
  });
});

describe("spend", () => {
  const costing = (costUsd: number) => ({
    attributes: { "gen_ai.usage.total_cost": `${costUsd}` },
  });
  const tree = draw(
    `
    run.session      [--------------]
      first.llm      [-]
      fetch.tool        [-]           x
      second.llm           [--]
      third.llm                [---]
    `,
    { "first.llm": costing(1), "second.llm": costing(2), "third.llm": costing(4) },
  );

  test("after the first failure lasts to the end of the trace", () => {
    expect(spendAfterFirstFailure(tree)).toMatchObject({
      failure: { origin: { span: { spanId: "fetch.tool" } } },
      spend: { durationMs: 10 * columnMs, spanCount: 2, usage: { costUsd: 6 } },
    });
    expect(spendAfterFirstFailure(draw("ok.tool  [-]"))).toBeUndefined();
  });

  test("of the whole trace is the trace's usage", () => {
    const { startUnixMs, endUnixMs, usage, spanCount } = summarizeTrace(tree);
    expect(createSpendMeter(tree)(startUnixMs, endUnixMs)).toMatchObject({ usage, spanCount });
  });
});
