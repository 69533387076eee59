import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

test("search_spans finds text across recent runs and says what it read", async () => {
  const { call } = await connect();
  const { text } = await call("search_spans", { text: "PAYMENTDECLINED" });

  expect(text).toMatch(/^9 spans in 3 traces match\. 11 of 11 traces read\.\n/);
  for (const key of ["booking-2", "booking-4", "booking-6"]) expect(text).toContain(traceIdOf(key));
});

test.each([
  [{ kind: "handoff" }, /^6 spans in 6 traces match/],
  [{ tool: "charge_card", status: "error" }, /^3 spans in 3 traces match/],
  [{ model: "gpt-4o-2024", min_cost_usd: 0.05 }, /^3 spans in 2 traces match/],
  [{ agent: "Songwriter", kind: "llm" }, /^2 spans in 2 traces match/],
  [{ min_duration_ms: 25_000, kind: "tool" }, /^1 span in 1 trace match/],
  [{ attribute: "workflow.type=invoke" }, /^1 span in 1 trace match/],
  [{ attribute: "from_agent" }, /^6 spans in 6 traces match/],
  [{ text: "no such text anywhere" }, /^0 spans in 0 traces match\. 11 of 11/],
])("search_spans by %o", async (filter, answer) => {
  const { call } = await connect();

  expect((await call("search_spans", filter)).text).toMatch(answer);
});

test("search_spans reads no more traces than asked, and says so", async () => {
  const { call } = await connect();
  const { text } = await call("search_spans", { kind: "llm", max_traces: 2 });

  expect(text).toContain("2 of 11 traces read");
});
