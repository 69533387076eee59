import { describe, expect, inject, test } from "vitest";
import { getWithKey } from "../api-request.js";
import { connectOverStdio, ERAS } from "../mcp-client.js";

const { url, apiKey } = inject("local");
const configured = { AGENTOPS_API_KEY: apiKey, AGENTOPS_API_URL: url };

describe.each(ERAS)("list_traces over stdio, protocol %o", (era) => {
  test("answers with the API's body, byte for byte", async () => {
    const { call } = await connectOverStdio(configured, era);
    const { text, isError } = await call("list_traces");

    expect(isError).toBe(false);
    expect(text).toBe(await getWithKey("/v4/traces?limit=5"));
  });

  test("takes the key and the URL with the call, when the server has neither", async () => {
    const { call } = await connectOverStdio({}, era);
    const { text } = await call("list_traces", { ...configured, limit: 2 });

    expect(text).toBe(await getWithKey("/v4/traces?limit=2"));
  });
});

test("lists id, span count, start, end and the total, newest first", async () => {
  const { call } = await connectOverStdio(configured);
  const { traces, total } = JSON.parse((await call("list_traces")).text);

  expect(total).toBe(3);
  expect(traces).toHaveLength(3);
  for (const trace of traces) {
    expect(trace).toMatchObject({
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      span_count: expect.any(Number),
      start_time: expect.any(String),
      end_time: expect.any(String),
    });
  }
  const starts = traces.map((trace: { start_time: string }) => trace.start_time);
  expect(starts).toEqual(starts.toSorted().reverse());
});

test.each([0, -1, 101, "5", 1.5, null])("limit %o is refused with its bounds", async (limit) => {
  const { call } = await connectOverStdio(configured);
  const { text, isError } = await call("list_traces", { limit });

  expect(isError).toBe(true);
  expect(text).toMatch(/^invalid_argument: `limit`: /);
  expect(text).toContain("list_traces takes");
});

test("an unknown argument is answered with the valid ones", async () => {
  const { call } = await connectOverStdio(configured);
  const { text, isError } = await call("list_traces", { count: 5 });

  expect(isError).toBe(true);
  expect(text).toMatch(
    /^invalid_argument: Unknown argument `count`\.\nlist_traces takes `limit` \(optional\), .*`AGENTOPS_API_URL` \(optional\)\.$/,
  );
});
