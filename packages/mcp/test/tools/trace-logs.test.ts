import { describe, expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { span, trace } from "../trace/draw.js";
import { localWithWeek } from "./own-local.js";
import { scriptedApi } from "./scripted-api.js";

const run = trace([span("root-span")]);
const printed = Array.from(
  { length: 400 },
  (_, i) => `2025-08-20 09:15:02,${i} - INFO - line ${i}`,
);

/** How the server keeps what today's SDK uploads: the upload's JSON body, as text. */
async function withLog(body: unknown) {
  const scripted = await scriptedApi([run]);
  scripted.api.on("GET /v4/logs/*", { body });
  return scripted;
}

test("trace_logs shows what was printed, page by page", async () => {
  const content = JSON.stringify({ body: printed.join("\n") });
  const { ask } = await withLog({ content, trace_id: run.traceId, freeplan_truncated: true });
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const { text } = await ask("trace_logs", { trace_id: run.traceId, ...(cursor && { cursor }) });
    expect(text).toContain("The account's plan cuts this log");
    for (const [line] of text.matchAll(/^2025.*$/gm)) seen.add(line);
    cursor = /"cursor":"(\d+)"/.exec(text)?.[1];
  } while (cursor !== undefined);

  expect([...seen]).toEqual(printed);
});

describe("over a real server", () => {
  const connect = localWithWeek();

  /** As the Python SDK does at exit: a JSON body, under the trace's id as a decimal number. */
  async function upload(url: string, traceId: string, lines: readonly string[]): Promise<void> {
    const response = await fetch(`${url}/v4/logs/upload/`, {
      method: "POST",
      headers: { "trace-id": BigInt(`0x${traceId}`).toString() },
      body: JSON.stringify({ body: lines.join("\n") }),
    });
    expect(response.status).toBe(200);
  }

  test("trace_logs shows what was uploaded, and only the lines with a text", async () => {
    const { call, apiUrl } = await connect();
    const trace_id = traceIdOf("bridge");
    await upload(apiUrl, trace_id, printed);

    expect((await call("trace_logs", { trace_id })).text).toMatch(
      /^400 lines printed\.\n[^\n]+\n2025-08-20 09:15:02,0 - INFO - line 0\n/,
    );
    const { text } = await call("trace_logs", { trace_id, grep: "LINE 39" });
    expect(text).toMatch(/^400 lines printed, 11 lines with the text\.\n/);
  });

  test("trace_logs says that a trace has no log", async () => {
    const { call } = await connect();
    const { text, isError } = await call("trace_logs", { trace_id: traceIdOf("nightly-fine") });

    expect(isError).toBe(true);
    expect(text).toMatch(/^not_found: This trace has no log\.\n/);
  });

  test("trace_logs says that there is no such trace", async () => {
    const { call } = await connect();
    const { text, isError } = await call("trace_logs", { trace_id: traceIdOf("unheard-of") });

    expect(isError).toBe(true);
    expect(text).toMatch(/^not_found: No such trace or span in the project of this API key\.\n/);
  });
});

test("trace_logs says where logs are for signed-in users only", async () => {
  const { ask, api } = await withLog({});
  api.on("GET /v4/logs/*", { status: 401, body: { detail: "User is not authenticated." } });
  const { text } = await ask("trace_logs", { trace_id: run.traceId });

  expect(text).toMatch(/^forbidden: .*\n.*AGENTOPS_SESSION_COOKIE/);
});
