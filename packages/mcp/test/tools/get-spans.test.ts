import { describe, expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();
const trace_id = traceIdOf("nightly-failed");

async function spanIds(filter: Record<string, unknown>): Promise<string[]> {
  const { call } = await connect();
  const { text } = await call("search_spans", { trace_id, ...filter });
  return [...text.matchAll(/\[([0-9a-f]+)\]$/gm)].map(([, id]) => id ?? "");
}

describe("get_spans", () => {
  test("says what went in and the size of everything the span holds", async () => {
    const { call } = await connect();
    const { text } = await call("get_spans", {
      trace_id,
      span_ids: await spanIds({ status: "error", kind: "tool" }),
    });

    expect(text).toMatch(/^1 of 1 spans\n/);
    expect(text).toContain("tool upload.tool");
    expect(text).toContain('in: {"args": ["report-0042.pdf"], "kwargs": {"retries": 0}}');
    expect(text).toMatch(/holds: .*exception\.stacktrace \(\d+ chars\)/);
  });

  test.each([
    ["gen_ai.prompt.0.content", "You plan which reports to write."],
    ["gen_ai.prompt[-1].role", "user"],
    ["$.gen_ai.completion[*].content", "Write all reports, then upload them one by one."],
  ])("leads to a value by the path %s", async (path, value) => {
    const { call } = await connect();
    const [planning] = await spanIds({ model: "gpt-4o-2024-08-06" });
    const { text } = await call("get_spans", { trace_id, span_ids: [planning], path });

    expect(text).toContain(value);
    expect(text).not.toContain("holds:");
  });

  test("goes through a key and on into its JSON value", async () => {
    const { call } = await connect();
    const span_ids = await spanIds({ status: "error", kind: "tool" });
    const path = "agentops.tool.input.kwargs.retries";
    const { text } = await call("get_spans", { trace_id, span_ids, path });

    expect(text).toMatch(/agentops\.tool\.input\.kwargs\.?.*:\n0\n/);
  });

  test.each([
    ["$.kwargs.retries", /did you mean agentops\.tool\.input\.kwargs\.retries\?/],
    ["input.kwargs.retries", /did you mean agentops\.tool\.input\.kwargs\.retries\?/],
    ["agentops.tool.input.kwarg", /did you mean agentops\.tool\.input\.args or agentops\.tool\./],
    ["exception.message", /did you mean events\.0\.exception\.message\?/],
    ["no.such.path", /nothing there: without path and grep/],
  ])("says what the path %s may have meant", async (path, hint) => {
    const { call } = await connect();
    const span_ids = await spanIds({ status: "error", kind: "tool" });
    const { text } = await call("get_spans", { trace_id, span_ids, path });

    expect(text).toMatch(hint);
    expect(text.indexOf("nothing there")).toBeGreaterThan(text.indexOf("<trace-data"));
  });

  test("says of a text that is not at a path no more than that", async () => {
    const { call } = await connect();
    const span_ids = await spanIds({ status: "error", kind: "tool" });
    const args = { trace_id, span_ids, path: "agentops.tool.input", grep: "unheard of" };

    expect((await call("get_spans", args)).text).toContain("(nothing there: without path and grep");
  });

  test("pages through a long value with its cursor until all of it was shown", async () => {
    const { call } = await connect();
    const [planning] = await spanIds({ model: "gpt-4o-2024-08-06" });
    const args = {
      trace_id,
      span_ids: [planning],
      path: "gen_ai.prompt.1.content",
      max_tokens: 500,
    };
    let regions = 0;
    let cursor: string | undefined;
    do {
      const { text } = await call("get_spans", { ...args, ...(cursor && { cursor }) });
      regions += text.match(/region/g)?.length ?? 0;
      cursor = /"cursor":"(\d+)"/.exec(text)?.[1];
    } while (cursor !== undefined);

    // A word at the end of a line may be cut in two.
    expect(regions).toBeGreaterThan(380);
  });

  test("finds text inside a payload, with what stands around it", async () => {
    const { call } = await connect();
    const [planning] = await spanIds({ model: "gpt-4o-2024-08-06" });
    const { text } = await call("get_spans", {
      trace_id,
      span_ids: [planning],
      grep: "BEFORE THE checks",
    });

    expect(text).toContain("Never upload before the checks");
    expect(text).not.toContain("Report on region");
  });

  test("reports a span that does not exist beside one that does", async () => {
    const { call } = await connect();
    const [first] = await spanIds({ status: "error", kind: "tool" });
    const { text, isError } = await call("get_spans", {
      trace_id,
      span_ids: [first, "ffffffffffff"],
    });

    expect(isError).toBe(false);
    expect(text).toMatch(/^1 of 2 spans/);
    expect(text).toContain("Span ffffffffffff could not be read: not_found.");
  });

  test("says what is wrong when no span can be found", async () => {
    const { call } = await connect();
    const { text, isError } = await call("get_spans", { trace_id, span_ids: ["ffffffffffff"] });

    expect(isError).toBe(true);
    expect(text).toMatch(/^invalid_argument: `span_ids`: No span of this trace has this id\.\n/);
  });

  test("says that shortened ids need their trace", async () => {
    const { call } = await connect();
    const { text } = await call("get_spans", { span_ids: ["ffffffff"] });

    expect(text).toMatch(
      /^invalid_argument: `trace_id`: Shortened span ids need the id of their trace\.\n/,
    );
  });

  test("says that a trace id is not shortened that far", async () => {
    const { call } = await connect();
    const { text } = await call("get_spans", { trace_id: "abcde", span_ids: ["ffffffff"] });

    expect(text).toMatch(/^invalid_argument: `trace_id`: Give 6 or more characters of it\.\n/);
  });
});

test("says that events take the trace, where there are none without it", async () => {
  const { call } = await connect();
  const { text: trace } = await call("trace_detail", { trace_id, view: "raw" });
  const [span_id = ""] = /(?<="span_id":\s?")[0-9a-f]{16}/.exec(trace) ?? [];
  const withoutTrace = await call("get_spans", { span_ids: [span_id] });
  expect(withoutTrace.text).toContain("only read with trace_id");
  const withTrace = await call("get_spans", { trace_id, span_ids: [span_id] });
  expect(withTrace.text).not.toContain("only read with trace_id");
});
