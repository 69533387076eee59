import { expect, test } from "vitest";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

const PROJECT = "The project has 11 traces, the newest started [-:\\dZ ]+\\.";
const NOT_ARRIVED =
  "A run that has just ended can take ten seconds to arrive: wait_for_trace waits for it.";
const FUTURE = "2999-01-01";

test.each([
  [
    { query: "nothinghere" },
    `No matching traces\\. ${PROJECT} Next: the same call without query\\. ${NOT_ARRIVED}`,
  ],
  [
    { since: "1s" },
    `No matching traces\\. ${PROJECT} None started after \`since\`\\. Next: the same call with an earlier since\\. ${NOT_ARRIVED}`,
  ],
  [
    { until: "90d", errors_only: true, min_cost_usd: 1 },
    `No matching traces\\. ${PROJECT} Next: the same call with a later until, or without errors_only, or with a smaller min_cost_usd\\.`,
  ],
  [
    { since: FUTURE },
    `No matching traces\\. ${PROJECT} \`since\` is in the future\\. Next: the same call with an earlier since\\.`,
  ],
  [
    { view: "table", cursor: "11" },
    `No further traces\\. ${PROJECT} The cursor is past the end: leave it out to start again\\.`,
  ],
])("list_traces says why nothing matches %o, and what does", async (args, answer) => {
  const { call } = await connect();
  const { text } = await call("list_traces", args);
  const raw = await call("list_traces", { ...args, view: "raw" });

  expect(text).toMatch(new RegExp(`^${answer}$`));
  if (!("view" in args)) expect(JSON.parse(raw.text).coverage).toBe(text);
});

test.each([
  ["search_spans", { kind: "llm", query: "nothinghere" }, "0 spans in 0 traces match, 0 shown\\. "],
  ["search_spans", { kind: "llm", since: FUTURE }, "0 spans in 0 traces match, 0 shown\\. "],
  ["trace_metrics", { query: "nothinghere" }, ""],
  ["find_failures", { since: FUTURE, tags: ["nightly"] }, ""],
])("%s of %o, which no trace matches, says what there is", async (tool, args, before) => {
  const { text } = await (await connect()).call(tool, args);

  expect(text).toMatch(new RegExp(`^${before}No matching traces\\. ${PROJECT} .*Next: .*$`));
});

test("search_spans without a hit says how many traces it searched", async () => {
  const question = { name: "nothinghere" };
  const { text } = await (await connect()).call("search_spans", question);
  const fetched = await (await connect({ hidesCapabilities: true })).call("search_spans", question);

  expect(text).toContain("The database searched every trace, 11 in all.");
  expect(fetched.text).toContain("11 of 11 traces read.");
});

test.each(["list_traces", "search_spans", "trace_metrics", "find_failures"])(
  "%s refuses a window that ends before it begins",
  async (tool) => {
    const { text, isError } = await (await connect()).call(tool, { since: "1h", until: "2h" });

    expect(isError).toBe(true);
    expect(text).toContain("invalid_argument: `until`: It is not after `since`: swap the two");
  },
);
