import { expect, test } from "vitest";
import { type Run, traceIdOf } from "../runs/run.js";
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
    key: "escaped",
    startUnixMs: nowUnixMs - 300 * MINUTE_MS,
    root: {
      name: "orders.workflow",
      children: [
        // As Python's json.dumps writes them, and JSON.stringify.
        { name: "python", attributes: { input: String.raw`{"to": "\u00dcrs M\u00fcller"}` } },
        { name: "emoji", attributes: { input: String.raw`["ok \ud83d\ude80"]` } },
        { name: "quote", attributes: { input: String.raw`["she said \"no\" to Zoë"]` } },
        { name: "lines", attributes: { input: String.raw`["first\nsecond C:\\temp"]` } },
        { name: "plain", attributes: { input: "Käse 100%_" } },
      ],
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

  expect(text).toMatch(/^601 spans in 2 traces match, 20 shown\. 4 of 4 traces read\./);
});

const escaped = [
  ["Müller", "python"],
  ["ürs müller", "python"],
  ["ok 🚀", "emoji"],
  ['said "no" to zoë', "quote"],
  ["first\nsecond", "lines"],
  ["C:\\temp", "lines"],
  ["KÄSE 100%_", "plain"],
  [String.raw`M\u00fcller`, "python"],
] as const;

test.each(escaped)(
  "the text %j is found in JSON that escapes it, in the database as over fetched traces",
  async (text, name) => {
    const found = await (await connect()).call("search_spans", { text });
    const fetched = await (await connect({ hidesCapabilities: true })).call("search_spans", {
      text,
    });

    expect(found.text).toMatch(/^1 span in 1 trace match, 1 shown\. The database searched/);
    expect(found.text).toMatch(new RegExp(`^ {2}.*\\b${name}\\b.* input: .+$`, "m"));
    const withoutHead = (answer: string) => answer.slice(answer.indexOf("\n"));
    expect(withoutHead(found.text)).toBe(withoutHead(fetched.text));
  },
);

test.each(escaped)("get_spans finds %j in JSON that escapes it", async (grep, name) => {
  const { call } = await connect();
  const trace_id = traceIdOf("escaped");
  const { text } = await call("search_spans", { trace_id, name });
  const [, id] = /\[([0-9a-f]+)\]/.exec(text) ?? [];
  const { text: matches } = await call("get_spans", { trace_id, span_ids: [id], grep });

  expect(matches).toMatch(/^\[\w+\] input: .+$/m);
});
