import { describe, expect, test } from "vitest";
import { contextGrowth } from "../../src/trace/context-growth.js";
import {
  conversationTurns,
  maxOpenConversations,
  type Turn,
} from "../../src/trace/conversation.js";
import { buildTree } from "../../src/trace/tree.js";
import { draw, epochUnixMs, span, trace } from "./draw.js";

/** `s:` system, `u:` user, `a:` assistant, `t:` tool; one message per line. */
const roles: Record<string, string> = { s: "system", u: "user", a: "assistant", t: "tool" };

function flat(prefix: string, script: string): Record<string, string> {
  const messages = script.split(" / ").map((message) => message.split(": "));
  return Object.fromEntries(
    messages.flatMap(([role = "", content = ""], i) => [
      [`${prefix}.${i}.role`, roles[role] ?? role],
      [`${prefix}.${i}.content`, content],
    ]),
  );
}

const chat = (prompt: string, completion = "a: Ok.", more: Record<string, string> = {}) => ({
  attributes: {
    ...flat("gen_ai.prompt", prompt),
    ...flat("gen_ai.completion", completion),
    ...more,
  },
});

/** One model call after the other, all of one agent. */
function turnsOf(...calls: readonly ReturnType<typeof chat>[]): readonly Turn[] {
  const spans = calls.map((call, i) =>
    span(`chat-${i}.llm`, { ...call, startUnixMs: epochUnixMs + i, durationMs: 1 }),
  );
  return conversationTurns(buildTree(trace(spans)));
}

const told = ({ history, newMessages, droppedCount }: Turn) =>
  `${history}: ${newMessages.map(({ content }) => content).join(" / ")}${droppedCount ? ` (-${droppedCount})` : ""}`;

describe("a conversation", () => {
  test("is told once: each call shows what its prompt adds", () => {
    const turns = turnsOf(
      chat("s: Plan. / u: Weather?", "a: I look."),
      chat("s: Plan. / u: Weather? / a: I look. / t: rainy", "a: It rains."),
      chat("s: Plan. / u: Weather? / a: I look. / t: rainy / a: It rains. / u: Thanks"),
    );
    expect(turns.map(told)).toEqual([
      "start: Plan. / Weather?",
      "continued: rainy",
      "continued: Thanks",
    ]);
    expect(turns[2]?.previous).toBe(turns[1]?.node);
    expect(turns[1]?.addedMessages.map(({ content }) => content)).toEqual(["I look.", "rainy"]);
  });

  test("that drops its oldest messages is truncated", () => {
    const [, turn] = turnsOf(
      chat("s: Plan. / u: one / a: two / u: three", "a: four"),
      chat("s: Plan. / u: three / a: four / u: five"),
    );
    expect(turn && told(turn)).toBe("truncated: five (-2)");
  });

  test("whose earlier messages changed is edited", () => {
    const [, turn] = turnsOf(
      chat("s: It is 10:00. / u: Hi / u: Go", "a: Ok."),
      chat("s: It is 10:01. / u: Hi / u: Go / a: Ok. / u: On"),
    );
    expect(turn && told(turn)).toBe("edited: It is 10:01. / On (-1)");
  });

  test("whose beginning was summed up is edited", () => {
    const [, turn] = turnsOf(
      chat("s: Plan. / u: one / a: two / u: three"),
      chat("s: Plan. / u: In short: one, two. / u: three / a: Ok. / u: four"),
    );
    expect(turn && told(turn)).toBe("edited: In short / four (-2)");
  });

  test("that shares only the system message starts anew, without repeating it", () => {
    const turns = turnsOf(chat("s: Classify. / u: cat"), chat("s: Classify. / u: dog"));
    expect(turns.map(told)).toEqual(["start: Classify. / cat", "start: dog"]);
    expect(turns[1]?.previous).toBe(turns[0]?.node);
  });

  test("goes on beside others of the same agent", () => {
    const turns = turnsOf(
      chat("s: Do. / u: cat"),
      chat("s: Do. / u: dog"),
      chat("s: Do. / u: cat / a: Ok. / u: more cat"),
      chat("s: Do. / u: dog / a: Ok. / u: more dog"),
    );
    expect(turns.map(told)).toEqual([
      "start: Do. / cat",
      "start: dog",
      "continued: more cat",
      "continued: more dog",
    ]);
  });

  test("is forgotten once too many others of its agent were opened", () => {
    const others = Array.from({ length: maxOpenConversations }, (_, i) => chat(`u: other ${i}`));
    const turns = turnsOf(chat("u: first"), ...others, chat("u: first / a: Ok. / u: on"));
    expect(turns.at(-1)?.history).toBe("start");
  });

  test("belongs to one agent", () => {
    const tree = draw(
      `
      run.session        [----------]
        Planner.agent     [---]
          first.llm        [-]
        Writer.agent           [----]
          second.llm            [-]
      `,
      {
        "first.llm": chat("s: Same. / u: Hi"),
        "second.llm": chat("s: Same. / u: Hi / a: Ok. / u: On"),
      },
    );
    expect(conversationTurns(tree).map(told)).toEqual([
      "start: Same. / Hi",
      "start: Same. / Hi / Ok. / On",
    ]);
  });

  test("is unrecorded where the span holds no prompt", () => {
    const [turn] = conversationTurns(draw("openai.chat.completion  [-]"));
    expect(turn).toMatchObject({ history: "unrecorded", newMessages: [], droppedCount: 0 });
  });
});

test("of two model spans one inside the other the inner one is the call", () => {
  const tree = draw("chain.llm  [---]\n  openai.chat.completion  [-]", {
    "chain.llm": chat("u: Hi"),
    "openai.chat.completion": chat("u: Hi"),
  });
  expect(conversationTurns(tree).map(({ node }) => node.span.spanId)).toEqual([
    "openai.chat.completion",
  ]);
});

describe("context growth", () => {
  const tokens = (input: number) => ({ "gen_ai.usage.input_tokens": String(input) });

  test("names the jump and the tool answer that caused it", () => {
    const call = "gen_ai.prompt.1.tool_calls.0";
    const page = "x".repeat(4000);
    const tree = draw(
      `
      Planner.agent    [-----------]
        one.llm         [-]
        two.llm            [-]
        three.llm             [-]
      `,
      {
        "one.llm": chat("u: Read it", "a: I open it.", tokens(100)),
        "two.llm": chat(`u: Read it / a: I open it. / t: ${page}`, "a: Done.", {
          ...tokens(1150),
          [`${call}.id`]: "c1",
          [`${call}.name`]: "open_page",
          "gen_ai.prompt.2.tool_call_id": "c1",
        }),
        "three.llm": chat(
          `u: Read it / a: I open it. / t: ${page} / u: Thanks`,
          "a: Bye.",
          tokens(1160),
        ),
      },
    );
    const [growth, ...others] = contextGrowth(tree);
    expect(others).toEqual([]);
    expect(growth).toMatchObject({ agent: "Planner", peakTokens: 1160 });
    expect(growth?.calls.map(({ grownTokens, isJump }) => [grownTokens, isJump])).toEqual([
      [undefined, false],
      [1050, true],
      [10, false],
    ]);
    expect(growth?.calls[1]?.causes[0]).toMatchObject({ chars: 4000, tool: "open_page" });
  });

  test("starts over with each conversation", () => {
    const tree = draw("a.llm  [-]\nb.llm    [-]", {
      "a.llm": chat("s: Do. / u: cat", "a: Ok.", tokens(9000)),
      "b.llm": chat("s: Do. / u: dog", "a: Ok.", tokens(100)),
    });
    expect(contextGrowth(tree)[0]?.calls.map(({ grownTokens }) => grownTokens)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test("counts cached tokens that the provider left out of its input figure", () => {
    const tree = draw("a.llm  [-]\nb.llm    [-]", {
      "a.llm": chat("u: Hi", "a: Ok.", {
        ...tokens(10),
        "gen_ai.usage.cache_read_input_tokens": "900",
        "gen_ai.usage.cache_creation_input_tokens": "90",
      }),
      "b.llm": chat("u: Ho", "a: Ok.", {
        ...tokens(1000),
        "gen_ai.usage.cache_read_input_tokens": "900",
      }),
    });
    expect(contextGrowth(tree)[0]?.calls.map(({ inputTokens }) => inputTokens)).toEqual([
      1000, 1000,
    ]);
  });

  test("leaves out calls that failed before they counted tokens", () => {
    const tree = draw("a.llm  [-]\nb.llm    [-]\nc.llm      [-]", {
      "a.llm": chat("u: Hi", "a: Ok.", tokens(1200)),
      "b.llm": { ...chat("u: Ho"), status: "error" },
      "c.llm": chat("u: Hi / a: Ok. / u: Ho", "a: Ok.", tokens(1300)),
    });
    expect(contextGrowth(tree)[0]?.calls.map(({ inputTokens }) => inputTokens)).toEqual([
      1200, 1300,
    ]);
  });

  test("is estimated from the prompt's length where no tokens were reported", () => {
    const tree = draw("a.llm  [-]", { "a.llm": chat(`u: ${"x".repeat(400)}`) });
    expect(contextGrowth(tree)[0]?.calls[0]).toMatchObject({ inputTokens: 100, isEstimate: true });
  });
});
