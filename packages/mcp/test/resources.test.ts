import { expect, test } from "vitest";
import { scriptedApi } from "./tools/scripted-api.js";
import { wireTrace } from "./tools/wire.js";
import { largeTrace } from "./trace/large.js";

const run = largeTrace(600);
const uri = `agentops://traces/${run.traceId}`;

test("a trace is a resource: its raw JSON, whatever its size", async () => {
  const { client } = await scriptedApi([run]);
  const { contents } = await client.readResource({ uri });

  expect(contents[0]).toMatchObject({ uri, mimeType: "application/json" });
  expect(contents[0]).toMatchObject({ text: JSON.stringify(wireTrace(run)) });
});

test("so is each of its spans", async () => {
  const { client } = await scriptedApi([run]);
  const { contents } = await client.readResource({ uri: `${uri}/spans/tool-3` });
  const [{ text }] = contents as { text: string }[] as [{ text: string }];

  expect(JSON.parse(text)).toMatchObject({ span_id: "tool-3", status_code: "ERROR" });
});

test.each([`agentops://traces/${"f".repeat(32)}`, `${uri}/spans/nothing`])(
  "%s does not exist, and the client is told so",
  async (missing) => {
    const { client } = await scriptedApi([run]);

    await expect(client.readResource({ uri: missing })).rejects.toThrow(/not found/i);
  },
);

test("trace ids are completed from the newest traces", async () => {
  const { client } = await scriptedApi([run]);
  const ref = { type: "ref/resource" as const, uri: "agentops://traces/{trace_id}" };
  const argument = { name: "trace_id", value: run.traceId.slice(0, 4) };
  const { completion } = await client.complete({ ref, argument });

  expect(completion.values).toEqual([run.traceId]);
});

test("span ids are completed from the trace that was chosen before", async () => {
  const { client } = await scriptedApi([run]);
  const ref = {
    type: "ref/resource" as const,
    uri: "agentops://traces/{trace_id}/spans/{span_id}",
  };
  const argument = { name: "span_id", value: "tool-59" };
  const completed = async (chosen: Record<string, string>) =>
    (await client.complete({ ref, argument, context: { arguments: chosen } })).completion.values;

  const ids = [59, 591, 593, 595, 597, 599].map((i) => `tool-${i}`);

  expect(await completed({ trace_id: run.traceId })).toEqual(ids);
  expect(await completed({ trace_id: "f".repeat(32) })).toEqual([]);
  expect(await completed({})).toEqual([]);
});

test("prompts name the tools to begin with", async () => {
  const { client } = await scriptedApi([]);
  const { prompts } = await client.listPrompts();
  expect(prompts.map(({ name }) => name)).toEqual([
    "debug_failed_run",
    "review_cost",
    "compare_runs",
  ]);

  const { messages } = await client.getPrompt({
    name: "compare_runs",
    arguments: { a: "aaaaaa", b: "bbbbbb" },
  });
  expect(messages[0]?.content).toMatchObject({
    text: expect.stringContaining('compare_traces {"a":"aaaaaa","b":"bbbbbb"}'),
  });
});

test("cancelling a call stops the requests under way", async () => {
  const { api, client } = await scriptedApi([run]);
  api.on("GET /v4/traces", { delayMs: 60_000 });
  const controller = new AbortController();
  const calling = client.callTool({ name: "list_traces" }, { signal: controller.signal });
  await expect.poll(() => api.count("GET /v4/traces")).toBe(1);
  controller.abort();

  await expect(calling).rejects.toThrow();
  await expect.poll(() => api.inFlight).toBe(0);
});
