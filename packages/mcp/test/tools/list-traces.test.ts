import { describe, expect, inject, test } from "vitest";
import { getWithKey } from "../api-request.js";
import { connectOverStdio, ERAS } from "../mcp-client.js";
import { traceIdOf } from "../runs/run.js";
import { localWithRuns, localWithWeek } from "./own-local.js";

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

describe("a filtered list", () => {
  const connect = localWithWeek();
  const ids = (text: string) => [...text.matchAll(/\b[0-9a-f]{32}\b/g)].map(([id]) => id);

  test.each([
    [
      "the failed runs",
      { errors_only: true },
      ["nightly-failed", "booking-6", "booking-4", "booking-2"],
    ],
    ["a time window", { since: "40h", until: "20h" }, ["booking-6", "song-before", "nightly-fine"]],
    ["tags", { tags: ["nightly", "prod"] }, ["nightly-failed", "nightly-fine"]],
    ["part of a name", { query: "CREWAI" }, ["song-after", "song-before"]],
    ["a duration", { min_duration_ms: 50_000 }, ["nightly-failed", "nightly-fine"]],
    ["an order", { sort: "slowest", limit: 2 }, ["nightly-failed", "nightly-fine"]],
    ["most spans", { sort: "most_spans", limit: 1 }, ["nightly-fine"]],
  ])("keeps to %s", async (_, args, keys) => {
    const { call } = await connect();
    const { text } = await call("list_traces", args);

    expect(ids(text)).toEqual(keys.map(traceIdOf));
  });

  test.each([
    [{ view: "table" }, "Traces 1–5 of 11, newest first."],
    [{ view: "table", cursor: "10" }, "Trace 11 of 11, newest first."],
    [{ since: "12h" }, "Matching traces 1–3 of 3, newest first."],
    [
      { since: "40h ago", until: "20 hours ago", limit: 2 },
      "Matching traces 1–2 of 3, newest first.",
    ],
    [{ errors_only: true, limit: 2 }, "Matching traces 1–2 of 4, newest first."],
    [{ errors_only: true, limit: 1, cursor: "4" }, "Further matching trace 1 of 2, newest first."],
    [{ sort: "slowest", limit: 2, cursor: "4" }, "Traces 5–6 of 11, slowest first."],
    [{ query: "crewai", sort: "costliest" }, "Matching traces 1–2 of 2, costliest first."],
  ])("says which of how many traces it shows for %o", async (args, head) => {
    const { call } = await connect();
    const { text } = await call("list_traces", args);

    expect(text.split("\n")[0]).toBe(head);
  });

  test("is a table of what lists tell, and nothing else", async () => {
    const { call } = await connect();
    const { text } = await call("list_traces", { tags: ["bridge-graph"] });

    expect(text).toMatch(
      /^trace_id \| started \| duration \| spans \| errors \| cost \| name \| tags\n<trace-data [^\n]*\n\w{32} \| [^|]* \| 10\.2 s \| 16 \| 0 \| \$[\d.]+ \| default\.session \| bridge-graph\n/m,
    );
  });

  test("comes as the server's own rows where raw JSON is asked for", async () => {
    const { call } = await connect();
    const { text } = await call("list_traces", { query: "crewai", view: "raw" });
    const { traces, next_cursor } = JSON.parse(text);

    expect(traces).toHaveLength(2);
    expect(traces[0]).toMatchObject({ trace_id: traceIdOf("song-after"), span_count: 7 });
    expect(next_cursor).toBeNull();
  });

  test.each([{ view: "table" }, { errors_only: true }, { sort: "slowest" }])(
    "is paged to its end with its cursor, %o",
    async (filter) => {
      const { call } = await connect();
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const args = { ...filter, limit: 2, ...(cursor && { cursor }) };
        const { text } = await call("list_traces", args);
        seen.push(...ids(text));
        cursor = /"cursor":"(\d+)"/.exec(text)?.[1];
      } while (cursor !== undefined);

      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toHaveLength("errors_only" in filter ? 4 : 11);
    },
  );

  test.each(["yesterday", "", "24", "2025-13-01", "2024-02-30", "2 months ago", "h24"])(
    "refuses %o as a time",
    async (since) => {
      const { call } = await connect();
      const { text, isError } = await call("list_traces", { since });

      expect(isError).toBe(true);
      expect(text).toMatch(/^invalid_argument: `since`: Give a time ago such as 24h/);
    },
  );
});

describe("a window to the microsecond", () => {
  const startUnixMs = Date.parse("2026-01-02T03:04:05Z") + 123.456;
  const connect = localWithRuns(() => [{ key: "precise", startUnixMs, root: { name: "run" } }]);

  test.each([
    [{ since: "2026-01-02T03:04:05.123456Z" }, true],
    [{ since: "2026-01-02T03:04:05.123456789" }, true],
    [{ since: "2026-01-02T03:04:05.123457Z" }, false],
    [{ until: "2026-01-02 03:04:05.123456+00:00" }, false],
    [{ until: "2026-01-02T03:04:05.123456001Z" }, true],
    [{ until: "2026-01-02T03:04:05.123457Z" }, true],
    [{ since: "2026-01-02T03:04", until: "2026-01-02T04:04:06+01:00" }, true],
  ])("of %o holds the run: %s", async (window, isHeld) => {
    const { text } = await (await connect()).call("list_traces", window);

    expect(text.includes(traceIdOf("precise"))).toBe(isHeld);
  });
});
