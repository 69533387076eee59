import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

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

test("diagnose_trace counts a crew's tokens once, although its root adds them up again", async () => {
  const { call } = await connect();
  const { text } = await call("diagnose_trace", { trace_id: traceIdOf("song-after") });

  expect(text).toContain("3,300+540 tok");
  expect(text).toContain("all: 2 model calls, 3,840 tok");
});
