import { expect, test } from "vitest";
import type { Run } from "../runs/run.js";
import { localWithRuns } from "./own-local.js";

const MINUTE_MS = 60_000;
const MANY_STEPS = 600;

const connect = localWithRuns((nowUnixMs): readonly Run[] => [
  {
    key: "straddles",
    startUnixMs: nowUnixMs - 120 * MINUTE_MS,
    root: {
      name: "wait.workflow",
      children: [{ name: "early.task", ms: 90 * MINUTE_MS }, { name: "late.task" }],
    },
  },
  {
    key: "small",
    startUnixMs: nowUnixMs - 20 * MINUTE_MS,
    root: { name: "small.workflow", children: [{ name: "step.task", ms: 5 }] },
  },
  {
    key: "large",
    startUnixMs: nowUnixMs - 10 * MINUTE_MS,
    root: {
      name: "large.workflow",
      children: Array.from({ length: MANY_STEPS }, () => ({ name: "step.task", ms: 5 })),
    },
  },
]);

test("a trace that began before the window is outside it, whatever spans began within", async () => {
  const question = { name: "late", since: "1h" };
  const fetched = await (await connect({ hidesCapabilities: true })).call("search_spans", question);
  const { text } = await (await connect()).call("search_spans", question);

  expect(fetched.text).toMatch(/^0 spans in 0 traces match, 0 shown\. 2/);
  expect(text).toMatch(
    /^0 spans in 0 traces match, 0 shown\. The database searched every trace of the window\.$/m,
  );
});

test("a trace with more matches than the search looks at hides no others: the traces are read", async () => {
  const { text } = await (await connect()).call("search_spans", { name: "step" });

  expect(text).toMatch(/^601 spans in 2 traces match, 20 shown\. 3 of 3 traces read\./);
});
