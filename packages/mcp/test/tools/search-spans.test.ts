import { describe, expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

const inDatabase = "The database searched every trace";

describe.each([
  { where: "in the database", hidesCapabilities: false },
  { where: "over fetched traces", hidesCapabilities: true },
])("search_spans $where", ({ hidesCapabilities }) => {
  test("finds text across recent runs and says what it read", async () => {
    const { call } = await connect({ hidesCapabilities });
    const { text } = await call("search_spans", { text: "PAYMENTDECLINED" });

    const searched = hidesCapabilities ? "11 of 11 traces read" : inDatabase;
    expect(text.split("\n")[0]).toBe(`9 spans in 3 traces match, 9 shown. ${searched}.`);
    for (const key of ["booking-2", "booking-4", "booking-6"]) {
      expect(text).toContain(traceIdOf(key));
    }
  });

  test.each([
    [{ kind: "handoff" }, /^6 spans in 6 traces match/],
    [{ tool: "charge_card", status: "error" }, /^3 spans in 3 traces match/],
    [{ model: "gpt-4o-2024", min_cost_usd: 0.05 }, /^3 spans in 2 traces match/],
    [{ agent: "Songwriter", kind: "llm" }, /^2 spans in 2 traces match/],
    [{ min_duration_ms: 25_000, kind: "tool" }, /^1 span in 1 trace match/],
    [{ attribute: "workflow.type = invoke" }, /^1 span in 1 trace match/],
    [{ attribute: "from_agent" }, /^6 spans in 6 traces match/],
    [{ text: "no such text anywhere" }, /^0 spans in 0 traces match/],
  ])("by %o", async (filter, answer) => {
    const { call } = await connect({ hidesCapabilities });

    expect((await call("search_spans", filter)).text).toMatch(answer);
  });
});

test.each([
  { text: "PaymentDeclined" },
  { text: '"' },
  { kind: "llm" },
  { name: "openai.chat", limit: 200 },
  { status: "unset", min_duration_ms: 0.000_000_1 },
  { tool: "CHARGE_card", status: "error" },
  { model: "GPT-4o-2024", min_duration_ms: 1_000 },
  { attribute: "from_agent" },
  { text: "declined", tool: "charge_card", name: "CHARGE", since: "5d" },
  { kind: "tool", since: "40h" },
  { attribute: "gen_ai.request.model=gpt", since: "4d" },
])("search_spans answers %o alike in the database and over fetched traces", async (question) => {
  const args = { ...question, max_traces: 100, max_tokens: 20_000 };
  const fetched = await (await connect({ hidesCapabilities: true })).call("search_spans", args);
  const { text } = await (await connect()).call("search_spans", args);

  expect(text).toContain(inDatabase);
  expect(withoutCoverage(text)).toBe(withoutCoverage(fetched.text));
  expect(text).toMatch(/^[1-9]\d* spans? in/);
});

test.each([
  { agent: "Songwriter" },
  { min_cost_usd: 0.01 },
  { kind: "llm", until: "1h" },
  { kind: "llm", query: "nightly" },
  { attribute: "gen_ai.prompt.0.role" },
  { text: "USER" },
])("search_spans reads traces for %o, which only a whole trace can tell", async (question) => {
  const { text } = await (await connect()).call("search_spans", question);

  expect(text).toMatch(/^\d+ spans? in \d+ traces? match, \d+ shown\. \d+ of \d+ traces read\./);
});

test.each(["=gpt", " =", "="])(
  "search_spans refuses the attribute %o, which has no key",
  async (attribute) => {
    const { text, isError } = await (await connect()).call("search_spans", { attribute });

    expect(isError).toBe(true);
    expect(text).toMatch(/^invalid_argument: `attribute`: Give a key, or key=text/);
  },
);

test("search_spans says how many of the matches it shows", async () => {
  const { call } = await connect();
  const { text } = await call("search_spans", { name: "openai.chat", limit: 60, max_tokens: 800 });
  const shown = text.match(/^ {2}llm /gm)?.length;

  expect(text).toContain(`spans in 2 traces match, ${shown} shown. `);
  expect(text).toContain("Rest: the same call with a larger max_tokens");
});

test.each([
  [{ tool: "charge_card", limit: 1 }, 1],
  [{ tool: "charge_card", limit: 4 }, 4],
  [{ name: "openai.chat", limit: 5 }, 2],
])("search_spans shows as many spans as %o says, over all traces", async (question, traceCount) => {
  const { text } = await (await connect()).call("search_spans", question);

  expect(text.match(/^ {2}(tool|llm) /gm)).toHaveLength(question.limit);
  expect(text.match(/^trace \w+ /gm)).toHaveLength(traceCount);
  expect(text).toContain(
    `More of them: the same call with a limit of ${4 * question.limit}, or with`,
  );
});

test("search_spans over fetched traces reads no more than asked, and says so", async () => {
  const { call } = await connect({ hidesCapabilities: true });
  const { text } = await call("search_spans", { kind: "llm", max_traces: 2 });

  expect(text).toContain("2 of 11 traces read");
});

test("search_spans in the database finds no more traces than asked, and says so", async () => {
  const { call } = await connect();
  const { text } = await call("search_spans", { kind: "handoff", max_traces: 2 });

  expect(text).toMatch(
    /^2 spans in 2 traces match, 2 shown\. The database searched newest first, until 2 traces matched: there may be more\. For more: max_traces up to 100/,
  );
});

/** Everything but how it was found. */
function withoutCoverage(answer: string): string {
  return answer.replace(/(match, [\d,]+ shown\.).*/, "$1");
}
