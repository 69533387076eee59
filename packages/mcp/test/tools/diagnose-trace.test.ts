import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { epochUnixMs, span, trace } from "../trace/draw.js";
import { localWithWeek } from "./own-local.js";
import { scriptedApi } from "./scripted-api.js";

const connect = localWithWeek();

test("diagnose_trace tells an error once, with the path it took and how far it went", async () => {
  const { call } = await connect();
  const { text } = await call("diagnose_trace", { trace_id: traceIdOf("booking-6") });

  expect(text).toMatch(
    /errors:\nERROR PaymentDeclined: .* in session default\.session > .* > tool charge_card \[\w+\]; passed on by 2, stopped at session default\.session; raised at \/app\/agent\.py:42 in run$/m,
  );
  expect(text.match(/PaymentDeclined/g)).toHaveLength(1);
});

test("diagnose_trace finds the loop, what it cost, and the prompt that grew with it", async () => {
  const { call } = await connect();
  const { text } = await call("diagnose_trace", { trace_id: traceIdOf("bridge") });

  expect(text).toMatch(
    /6 rounds of tool search\.tool \[\w+\]; rounds after the first took .*\$0\.036/,
  );
  expect(text).toMatch(/6× tool search\(.*same output each time/);
  expect(text).toContain("400 → 5,800 prompt tok over 7 calls, peak 5,800");
});

test("diagnose_trace tells of many small steps what they took together", async () => {
  const { call } = await connect();
  const { text } = await call("diagnose_trace", { trace_id: traceIdOf("nightly-fine") });

  expect(text).toMatch(
    /^79 % 42 s 60× llm openai\.chat\.completion gpt-4o-mini-2024-07-18, most 700 ms \[\w+\]$/m,
  );
  expect(text).toMatch(
    /^14 % 30,000\+7,200 tok \$0\.0088 60× llm .*, most 500\+120 tok \$0\.00015 \[\w+\]$/m,
  );
});

test("diagnose_trace says how much of the prompts came from the cache", async () => {
  const calls = [0, 900, 1_200].map((cached, index) =>
    span(`call-${index}`, {
      name: "openai.chat.completion",
      startUnixMs: epochUnixMs + index,
      attributes: {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": `Step ${index}`,
        "gen_ai.usage.input_tokens": "1400",
        "gen_ai.usage.cache_read.input_tokens": String(cached),
      },
    }),
  );
  const run = trace(calls);
  const { ask } = await scriptedApi([run]);
  const { text } = await ask("diagnose_trace", { trace_id: run.traceId });

  expect(text).toContain("1,400 → 1,400 prompt tok over 3 calls, peak 1,400, 50 % from cache");
});

test("diagnose_trace names the exception that a chain began with, masked and in one line", async () => {
  const stacktrace = `Traceback (most recent call last):
  File "/app/agent2.py", line 24, in look_up
    return customers["${"x".repeat(300)}"]
KeyError: 'customer_id sk-proj-${"a1B2c3D4".repeat(6)} ${"x".repeat(300)}'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/app/agent2.py", line 31, in plan
    raise RuntimeError("no plan") from error
RuntimeError: no plan`;
  const attributes = {
    "exception.type": "RuntimeError",
    "exception.message": "no plan",
    "exception.stacktrace": stacktrace,
  };
  const event = { name: "exception", timeUnixMs: epochUnixMs, attributes };
  const run = trace([span("plan", { status: "error", events: [event] })]);
  const { ask } = await scriptedApi([run]);
  const { text } = await ask("diagnose_trace", { trace_id: run.traceId });

  expect(text).toMatch(
    /; raised at \/app\/agent2\.py:31 in plan, caused by KeyError: 'customer_id .{1,160} at \/app\/agent2\.py:24 in look_up$/m,
  );
  expect(text).not.toContain("a1B2c3D4a1B2");
});

test("diagnose_trace counts a crew's tokens once, although its root adds them up again", async () => {
  const { call } = await connect();
  const { text } = await call("diagnose_trace", { trace_id: traceIdOf("song-after") });

  expect(text).toContain("3,300+540 tok");
  expect(text).toContain("all: 2 model calls, 3,840 tok");
});
