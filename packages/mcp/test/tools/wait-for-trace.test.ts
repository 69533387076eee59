import { expect, test } from "vitest";
import { startLocal } from "../../../../test/start-local.js";
import { connectOverStdio } from "../mcp-client.js";
import { bookingRun } from "../runs/openai-agents.js";
import { traceIdOf } from "../runs/run.js";
import { sendRuns } from "../runs/send.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

test("wait_for_trace finds a run that is there, once its spans have stopped coming", async () => {
  const { call } = await connect();
  const { text } = await call("wait_for_trace", { trace_id: traceIdOf("song-after") });

  expect(text).toMatch(/^Trace \w+ arrived after .*, 7 spans\.\n/);
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
