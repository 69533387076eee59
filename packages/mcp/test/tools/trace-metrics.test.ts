import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

const GROUPS = ["all", "model", "tool", "agent", "status", "day", "span_name"];
const ADDED_UP = " Added up in the database.";

test.each([
  {},
  { query: "booking", max_traces: 4 },
  { since: "40h", until: "4h" },
  { query: "no such run" },
])("trace_metrics answers %o alike in the database and over fetched traces", async (selection) => {
  const plain = await connect({ hidesCapabilities: true });
  const offering = await connect();
  for (const group_by of GROUPS) {
    const args = { ...selection, group_by, max_tokens: 20_000 };
    const { text } = await offering.call("trace_metrics", args);
    const fetched = await plain.call("trace_metrics", args);

    expect(text.replace(ADDED_UP, "")).toBe(fetched.text);
  }
});

test.each([
  [{ group_by: "model" }, true],
  [{ group_by: "tool" }, true],
  [{ group_by: "span_name", query: "nightly" }, true],
  [{ group_by: "day", query: "nightly" }, true],
  [{ group_by: "agent" }, false],
  [{ group_by: "all", query: "crew" }, false],
])("trace_metrics by %o is added up in the database: %s", async (question, isAddedUp) => {
  const { text } = await (await connect()).call("trace_metrics", question);

  expect(text).toMatch(/^[1-9]\d* of /);
  expect(text.includes(ADDED_UP)).toBe(isAddedUp);
});

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

  expect(text).toMatch(/^11 of 11 traces read\./);
  expect(text).toMatch(row);
});

test.each([
  ["trace_metrics", { trace_ids: ["abcde"] }, "trace_ids"],
  ["search_spans", { trace_id: "abcde" }, "trace_id"],
])("%s says which argument of %o is too short an id", async (tool, args, argument) => {
  const { text, isError } = await (await connect()).call(tool, args);

  expect(isError).toBe(true);
  expect(text).toContain(`invalid_argument: \`${argument}\`: Give 6 or more characters of it.`);
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
