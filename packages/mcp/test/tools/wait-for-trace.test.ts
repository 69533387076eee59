import { describe, expect, test } from "vitest";
import { startLocal } from "../../../../test/start-local.js";
import { connectOverStdio } from "../mcp-client.js";
import { bookingRun } from "../runs/openai-agents.js";
import { type OtlpSpan, type Run, spansOf, traceIdOf } from "../runs/run.js";
import { sendRuns, sendSpans } from "../runs/send.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

test("wait_for_trace says that a run was already there, and what to read of it", async () => {
  const { call } = await connect();
  const { text } = await call("wait_for_trace", { trace_id: traceIdOf("song-after") });

  expect(text).toMatch(/^Trace \w+ was already there: .*, 7 spans\.\n/);
  expect(text).toContain("Next: trace_detail");
});

test("wait_for_trace leads from a failed run to its diagnosis", async () => {
  const { call } = await connect();
  const { text } = await call("wait_for_trace", { trace_id: traceIdOf("nightly-failed") });

  expect(text).toMatch(/^Trace \w+ was already there: failed, /);
  expect(text).toContain("Next: diagnose_trace");
});

test("wait_for_trace waits for a run that arrives later, and reports progress to who asked", async () => {
  const local = await startLocal();
  const env = { AGENTOPS_API_KEY: local.apiKey, AGENTOPS_API_URL: local.url };
  const { client } = await connectOverStdio(env);
  const messages: unknown[] = [];
  const waiting = client.callTool(
    { name: "wait_for_trace", arguments: { tags: ["prod"] } },
    { onprogress: ({ message }) => messages.push(message) },
  );
  const run = { key: "late", startUnixMs: Date.now(), city: "Oslo" };
  setTimeout(() => sendRuns(local.url, [bookingRun(run)]), 1_000);
  const { content } = await waiting;
  await local.stop();

  expect(content[0]).toMatchObject({ text: expect.stringContaining(traceIdOf("late")) });
  expect(messages).toContain("Waiting for the trace");
});

test("wait_for_trace waits as long as it was told to, and then says what to check", async () => {
  const { call } = await connect();
  const startedAt = performance.now();
  const { text, isError } = await call("wait_for_trace", { query: "nobody", timeout_s: 1 });

  expect(isError).toBe(false);
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  expect(text).toMatch(/^No trace arrived after .*\nCheck that the program has ended/);
});

describe("while a run goes on", () => {
  const run = (key: string): Run => ({
    key,
    startUnixMs: Date.now(),
    root: { name: "trip.workflow", children: [{ name: "plan.task" }, { name: "book.task" }] },
  });
  const isRoot = ({ parentSpanId }: OtlpSpan) => parentSpanId === "";

  test("wait_for_trace waits for its root span, however long nothing came", async () => {
    const { call, apiUrl } = await connect();
    const spans = spansOf(run("slow"));
    await sendSpans(
      apiUrl,
      spans.filter((span) => !isRoot(span)),
    );
    const waiting = call("wait_for_trace", { query: "trip", timeout_s: 20 });
    setTimeout(() => sendSpans(apiUrl, spans.filter(isRoot)), 5_000);

    expect((await waiting).text).toMatch(/^Trace \w+ arrived after .*, 3 spans\.\n/);
  });

  test.each([
    { key: "cut-off", isSent: (span: OtlpSpan) => !isRoot(span), missing: "Its root span is not" },
    {
      key: "gap",
      isSent: (span: OtlpSpan) => span.name !== "plan.task",
      missing: "Parents of 1 span are not",
    },
  ])("wait_for_trace says what a $key run lacks when its time is over", async (each) => {
    const { call, apiUrl } = await connect();
    const spans = spansOf({
      ...run(each.key),
      root: {
        name: "trip.workflow",
        children: [{ name: "plan.task", children: [{ name: "look.tool" }] }],
      },
    });
    await sendSpans(apiUrl, spans.filter(each.isSent));
    const trace_id = traceIdOf(each.key);
    const { text } = await call("wait_for_trace", { trace_id, timeout_s: 3 });

    expect(text).toMatch(/^Trace \w+ may not be whole after 3/);
    expect(text).toContain(`${each.missing} here: the run goes on, or was cut off.`);
    expect(text).toContain(`Next: wait_for_trace {"trace_id":"${trace_id}"} to wait on`);
  });
});
