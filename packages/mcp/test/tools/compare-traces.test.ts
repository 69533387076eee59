import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { epochUnixMs, span, trace } from "../trace/draw.js";
import { localWithWeek } from "./own-local.js";
import { scriptedApi } from "./scripted-api.js";

const connect = localWithWeek();

test("compare_traces says what changed and what it did to cost", async () => {
  const { call } = await connect();
  const ids = { a: traceIdOf("song-before"), b: traceIdOf("song-after") };
  const { text } = await call("compare_traces", ids);

  expect(text).toMatch(/cost \$0\.029 → \$0\.00\d+ \(-\d+ %\)/);
  expect(text).toContain("tokens out 2,100 → 540 (-74 %)");
  expect(text).toMatch(/a: .*long, rhyming songs[\s\S]*b: .*short songs/);
});

test("compare_traces says when two runs do not compare", async () => {
  const { call } = await connect();
  const ids = { a: traceIdOf("song-before"), b: traceIdOf("nightly-fine") };
  const { text } = await call("compare_traces", ids);

  expect(text).toContain("The runs have no agent in common: differences mean little");
});

test.each(["a", "b"])("compare_traces says that the id in %s is too short", async (argument) => {
  const { call } = await connect();
  const ids = { a: traceIdOf("bridge"), b: traceIdOf("bridge"), [argument]: "abcde" };
  const { text, isError } = await call("compare_traces", ids);

  expect(isError).toBe(true);
  expect(text).toContain(`invalid_argument: \`${argument}\`: Give 6 or more characters of it.`);
});

test("compare_traces says how to read a span of either run", async () => {
  const { call } = await connect();
  const ids = { a: traceIdOf("song-before"), b: traceIdOf("song-after") };
  const { text } = await call("compare_traces", ids);

  expect(text).toContain(
    `A span of a in full: get_spans {"trace_id":"${ids.a}","span_ids":["<id in brackets>"]}; of b: trace_id ${ids.b}`,
  );
});

const runs = {
  a: "4b1f0c6d9e5a4f7c8a2e3d1c0b9a8f7e",
  b: "9b1f0c6d9e5a4f7c8a2e3d1c0b9a8f7e",
};

test("compare_traces names the request settings and finish reasons that changed", async () => {
  const call = (traceId: string, attributes: Record<string, string>) =>
    trace([span("chat", { name: "openai.chat.completion", attributes })], { traceId });
  const { ask } = await scriptedApi([
    call(runs.a, {
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.request.temperature": "0",
      "llm.request.max_tokens": "1000",
      "gen_ai.request.top_p": "1",
      "gen_ai.completion.0.content": "Hi",
      "gen_ai.completion.0.finish_reason": "stop",
    }),
    call(runs.b, {
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.request.temperature": "0.9",
      "gen_ai.request.max_tokens": "1900",
      "gen_ai.request.top_p": "1",
      "gen_ai.request.seed": "7",
      "gen_ai.completion.0.content": "Hi",
      "gen_ai.response.finish_reasons": '["length"]',
    }),
  ]);
  const { text } = await ask("compare_traces", runs);

  expect(text).toContain(
    "settings, finish reason changed\n  temperature 0 → 0.9, max_tokens 1000 → 1900, seed (none) → 7\n  finish reason stop → length\n",
  );
});

test("compare_traces says once what changed alike in several calls", async () => {
  const run = (traceId: string, system: string, answers: readonly string[]) =>
    trace(
      answers.map((answer, i) =>
        span(`call-${i}`, {
          name: "openai.chat.completion",
          startUnixMs: epochUnixMs + i,
          attributes: {
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": system,
            "gen_ai.completion.0.content": answer,
          },
        }),
      ),
      { traceId },
    );
  const { ask } = await scriptedApi([
    run(runs.a, "Be brief.", ["one", "two", "three"]),
    run(runs.b, "Be kind.", ["one", "two", "four"]),
  ]);
  const { text } = await ask("compare_traces", runs);

  expect(text.match(/Be kind/g)).toHaveLength(1);
  expect(text).toMatch(
    /^first difference:\n.*: input changed\n {2}system message 0 a: Be brief\.\n {2}system message 0 b: Be kind\.\n {2}the same change in 2 further steps$/m,
  );
  expect(text).toMatch(
    /^changed steps:\n.*: input, output changed\n {2}output a: .*three\n {2}output b: .*four\n/m,
  );
});

test("compare_traces of a run with itself finds nothing", async () => {
  const { call } = await connect();
  const id = traceIdOf("bridge");
  const { text } = await call("compare_traces", { a: id, b: id });

  expect(text).toContain("none: every step is in both, unchanged");
});
