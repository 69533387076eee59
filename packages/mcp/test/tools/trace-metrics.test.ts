import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

test.each([
  ["all", /^all \| 11 \| 4 \(36 %\) \|/m],
  ["model", /^gpt-4o-2024-08-06 \| 12 \| 0 \|/m],
  ["tool", /^charge_card \| 6 \| 3 \(50 %\) \| 150 ms \|/m],
  ["agent", /^Booking Agent \| 6 \| 3 \(50 %\) \|/m],
  ["status", /^failed \| 4 \| 4 \(100 %\) \|/m],
  ["day", /^\d{4}-\d\d-\d\d \| \d+ \|/m],
  ["span_name", /^openai\.chat\.completion \| 104 \|/m],
])("trace_metrics by %s", async (group_by, row) => {
  const { call } = await connect();
  const { text } = await call("trace_metrics", { group_by });

  expect(text).toMatch(/^11 of 11 traces read\.\n/);
  expect(text).toMatch(row);
});

test("trace_metrics reads the traces it is given, and reports one it cannot read beside them", async () => {
  const { call } = await connect();
  const trace_ids = [traceIdOf("bridge"), "f".repeat(32)];
  const { text, isError } = await call("trace_metrics", { trace_ids });

  expect(isError).toBe(false);
  expect(text).toContain(`1 of 2 traces read. Not read: ${"f".repeat(32)} (not_found).`);
});

test("trace_metrics is an error only when no trace can be read", async () => {
  const { call } = await connect();
  const { text, isError } = await call("trace_metrics", { trace_ids: ["f".repeat(32)] });

  expect(isError).toBe(true);
  expect(text).toMatch(/^not_found: /);
});
