import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MAX_SPAN_COST_USD, MAX_SPAN_TOKENS } from "mcp-server-agentops-api/semconv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/store/database.js";
import {
  defaultProject,
  openStore,
  type Project,
  type SpanGroup,
  type SpanGroupPosition,
  type SpanRecord,
  type Store,
  type TraceQuery,
} from "../../src/store/index.js";
import { encodeSpans, rowsOf } from "../../src/store/row-binary.js";
import { collect, temporaryFolder } from "../harness.js";
import { newSpanId, newTraceId, START_UNIX_NANO } from "../otlp-message.js";

const project = defaultProject.id;
let dataDir: string;
let store: Store;

beforeEach(async () => {
  dataDir = await temporaryFolder();
  store = await openStore({ dataDir });
});
afterEach(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

function span(fields: Partial<SpanRecord> & Pick<SpanRecord, "traceId">): SpanRecord {
  return {
    spanId: newSpanId(),
    parentSpanId: "",
    traceState: "",
    name: "work",
    kind: "Internal",
    startUnixNano: START_UNIX_NANO,
    durationNano: 1_000_000n,
    status: "Ok",
    statusMessage: "",
    attributes: [["gen_ai.usage.total_tokens", "10"]],
    events: [],
    links: [],
    ...fields,
  };
}

const withOtherId = (original: SpanRecord) => ({ ...original, spanId: newSpanId() });

const everything: TraceQuery = {
  fromUnixNano: undefined,
  untilUnixNano: undefined,
  text: "",
  orderBy: "start_time",
  descending: true,
  limit: 10,
  offset: 0,
};

function groupOf(...spans: SpanRecord[]): SpanGroup[] {
  const resource = { serviceName: "agentops", attributes: [] };
  return [{ resource, scope: { name: "", version: "" }, spans }];
}

async function reopen(): Promise<void> {
  await store.close();
  store = await openStore({ dataDir });
}

async function figures(traceId: string, projectId = project) {
  const trace = await store.trace(projectId, traceId);
  if (!trace) return undefined;
  const spans = await collect(store.traceSpans(projectId, traceId));
  return { summary: trace.spanCount, stored: spans.length, tokens: trace.totalTokens };
}

describe("a span that is sent again counts once", () => {
  const traceId = newTraceId();
  const [first, second, third] = [1, 2, 3].map((n) =>
    span({ traceId, startUnixNano: START_UNIX_NANO + BigInt(n) }),
  ) as [SpanRecord, SpanRecord, SpanRecord];
  const once = { summary: 3, stored: 3, tokens: 30 };

  test("in the same batch", async () => {
    await store.addSpans(project, groupOf(first, second, third, third));
    expect(await figures(traceId)).toEqual(once);
  });

  test("as the whole batch", async () => {
    await store.addSpans(project, groupOf(first, second, third));
    await store.addSpans(project, groupOf(first, second, third));
    expect(await figures(traceId)).toEqual(once);
  });

  test("alone, among new ones, in another batch", async () => {
    await store.addSpans(project, groupOf(first, second));
    await store.addSpans(project, groupOf(third, first));
    expect(await figures(traceId)).toEqual(once);
  });

  test("by many senders at a time", async () => {
    const batches = [[first, second], [second, third], [third, first], [first]];
    await Promise.all(batches.map((batch) => store.addSpans(project, groupOf(...batch))));
    expect(await figures(traceId)).toEqual(once);
  });

  test("after a restart", async () => {
    await store.addSpans(project, groupOf(first, second));
    await reopen();
    await store.addSpans(project, groupOf(second, third));
    expect(await figures(traceId)).toEqual(once);
    expect((await store.span(project, first.spanId))?.spanId).toBe(first.spanId);
  });
});

test("the same span id in two traces is two spans", async () => {
  const spanId = newSpanId();
  const [one, other] = [newTraceId(), newTraceId()];
  await store.addSpans(project, groupOf(span({ traceId: one, spanId })));
  await store.addSpans(project, groupOf(span({ traceId: other, spanId })));
  expect(await figures(one)).toEqual({ summary: 1, stored: 1, tokens: 10 });
  expect(await figures(other)).toEqual({ summary: 1, stored: 1, tokens: 10 });
});

describe("a process that was killed while it wrote a batch", () => {
  const traceId = newTraceId();
  const before = span({ traceId });
  const interrupted = span({ traceId, parentSpanId: before.spanId });
  const incoming = () => join(dataDir, "incoming");

  /** Leaves the folder as a kill between two of the engine's writes leaves it. */
  async function kill(leftTables: readonly string[]): Promise<void> {
    await store.addSpans(project, groupOf(before, interrupted));
    await store.close();
    const database = await openDatabase({ dataDir });
    for (const table of leftTables) {
      await database.write(`DELETE FROM ${table} WHERE TraceId = {traceId:String}`, { traceId });
    }
    await database.close();
    const rows = rowsOf(encodeSpans(project, groupOf(interrupted)));
    await mkdir(incoming(), { recursive: true });
    await writeFile(join(incoming(), "7.rows"), Buffer.concat(rows));
    store = await openStore({ dataDir });
  }

  test.each([
    ["before the summary", ["trace_summary", "span_lookup"]],
    ["before the lookup", ["span_lookup"]],
    ["after all tables", []],
  ])(
    "%s: all figures agree, and sending the batch again changes nothing",
    async (_name, tables) => {
      await kill(tables);
      const whole = { summary: 2, stored: 2, tokens: 20 };
      expect(await figures(traceId)).toEqual(whole);
      await store.addSpans(project, groupOf(before, interrupted));
      expect(await figures(traceId)).toEqual(whole);
    },
  );

  test("before the batch was in the engine, or in its file: it was never acknowledged and is gone", async () => {
    await store.addSpans(project, groupOf(before));
    await store.close();
    const row = rowsOf(encodeSpans(project, groupOf(interrupted)))[0] ?? new Uint8Array();
    await writeFile(join(incoming(), "7.rows"), row);
    await writeFile(join(incoming(), "8.rows.part"), row.subarray(0, 20));
    store = await openStore({ dataDir });
    expect(await figures(traceId)).toEqual({ summary: 1, stored: 1, tokens: 10 });
    await store.addSpans(project, groupOf(interrupted));
    expect(await figures(traceId)).toEqual({ summary: 2, stored: 2, tokens: 20 });
  });
});

describe("two projects", () => {
  const other: Project = {
    id: "11111111-1111-4111-8111-111111111111",
    name: "other",
    environment: "production",
    apiKey: "22222222-2222-4222-8222-222222222222",
  };

  test("never see each other, even with the same ids", async () => {
    await store.projects.add(other);
    const [shared, mine, theirs] = [newTraceId(), newTraceId(), newTraceId()];
    const spanId = newSpanId();
    await store.addSpans(project, groupOf(span({ traceId: shared, spanId, name: "mine" })));
    await store.addSpans(other.id, groupOf(span({ traceId: shared, spanId, name: "theirs" })));
    await store.addSpans(project, groupOf(span({ traceId: mine })));
    await store.addSpans(other.id, groupOf(span({ traceId: theirs })));

    expect((await store.span(project, spanId))?.name).toBe("mine");
    expect((await store.span(other.id, spanId))?.name).toBe("theirs");
    expect(await figures(shared)).toEqual({ summary: 1, stored: 1, tokens: 10 });
    expect(await figures(theirs)).toBeUndefined();
    expect(await figures(mine, other.id)).toBeUndefined();

    const page = await store.listTraces(other.id, everything);
    expect(page.totals.traceCount).toBe(2);
    expect(page.traces.map(({ traceId }) => traceId).sort()).toEqual([shared, theirs].sort());
  });

  test("are found by their keys", async () => {
    await store.projects.add(other);
    await reopen();
    expect(await store.projects.byApiKey(other.apiKey)).toEqual(other);
    expect(await store.projects.byApiKey(defaultProject.apiKey)).toEqual(defaultProject);
    expect(await store.projects.byId("nobody")).toBeUndefined();
  });
});

describe("tokens and costs", () => {
  async function usageOf(attributes: Record<string, string>) {
    const added = span({ traceId: newTraceId(), attributes: Object.entries(attributes) });
    await store.addSpans(project, groupOf(added));
    return await store.spanUsage(project, added.spanId);
  }

  test("read today's attribute names before yesterday's", async () => {
    const usage = await usageOf({
      "gen_ai.usage.input_tokens": "5",
      "gen_ai.usage.prompt_tokens": "7",
      "gen_ai.usage.completion_tokens": "3",
    });
    expect(usage).toMatchObject({ promptTokens: 5, completionTokens: 3, totalTokens: 8 });
  });

  test("do not add cached and reasoning tokens, which are part of the others", async () => {
    const usage = await usageOf({
      "gen_ai.usage.prompt_tokens": "100",
      "gen_ai.usage.completion_tokens": "50",
      "gen_ai.usage.cache_read_input_tokens": "80",
      "gen_ai.usage.reasoning_tokens": "40",
    });
    expect(usage).toMatchObject({ cacheReadTokens: 80, reasoningTokens: 40, totalTokens: 150 });
  });

  test("take text that is no number as 0, and 12.0 as 12", async () => {
    const usage = await usageOf({
      "gen_ai.usage.prompt_tokens": "12.0",
      "gen_ai.usage.completion_tokens": "None",
      "gen_ai.usage.reasoning_tokens": "-3",
      "gen_ai.usage.prompt_cost": "nan",
      "gen_ai.usage.completion_cost": "9e-7",
    });
    expect(usage).toMatchObject({
      promptTokens: 12,
      completionTokens: 0,
      reasoningTokens: 0,
      promptCostUsd: 0,
      completionCostUsd: 9e-7,
      totalCostUsd: 9e-7,
    });
  });

  test("take a figure beyond what a span can use as 0, so that every sum stays a number", async () => {
    const spans = ["1e308", "-1e308", "inf", String(MAX_SPAN_COST_USD)].map((cost) =>
      span({
        traceId: newTraceId(),
        attributes: [
          ["gen_ai.usage.total_cost", cost],
          ["gen_ai.usage.prompt_cost", cost],
          ["gen_ai.usage.total_tokens", "18446744073709551615"],
          ["gen_ai.usage.prompt_tokens", String(MAX_SPAN_TOKENS)],
        ],
      }),
    );
    await store.addSpans(project, groupOf(...spans, ...spans.map(withOtherId)));
    const { totals } = await store.listTraces(project, everything);
    expect(totals).toMatchObject({
      totalCostUsd: 2 * MAX_SPAN_COST_USD,
      promptCostUsd: 2 * MAX_SPAN_COST_USD,
      totalTokens: 0,
      promptTokens: 8 * MAX_SPAN_TOKENS,
    });
  });

  test("prefer a total that was sent", async () => {
    const usage = await usageOf({
      "gen_ai.usage.prompt_tokens": "10",
      "gen_ai.usage.total_tokens": "25",
      "gen_ai.usage.prompt_cost": "0.1",
      "gen_ai.usage.total_cost": "0.5",
    });
    expect(usage).toMatchObject({ totalTokens: 25, totalCostUsd: 0.5 });
  });
});

test("a trace's spans come once each and in order, however many pages they are, and start together", async () => {
  const traceId = newTraceId();
  const spans = Array.from({ length: 2_500 }, (_, n) =>
    span({ traceId, startUnixNano: START_UNIX_NANO + BigInt(n % 2), durationNano: BigInt(n % 3) }),
  );
  await store.addSpans(project, groupOf(...spans));
  const trace = await store.trace(project, traceId);
  expect(trace?.spanCount).toBe(spans.length);

  const sorted = spans.toSorted(
    (a, b) =>
      Number(a.startUnixNano - b.startUnixNano) ||
      Number(b.durationNano - a.durationNano) ||
      (a.spanId < b.spanId ? -1 : 1),
  );
  const read = await collect(store.traceSpans(project, traceId));
  expect(read.map(({ spanId }) => spanId)).toEqual(sorted.map(({ spanId }) => spanId));
});

describe("spans are read back in pages", () => {
  const query = { traceIds: [], fromUnixNano: undefined, untilUnixNano: undefined };

  /** The ids on each page but the last, which is empty. */
  async function pages(): Promise<string[][]> {
    const found: string[][] = [];
    let after: SpanGroupPosition | undefined;
    do {
      const { groups, next } = await store.spanGroups(project, query, after);
      found.push(groups.flatMap(({ spans }) => spans.map(({ spanId }) => spanId)));
      after = next;
    } while (after);
    expect(found.pop()).toEqual([]);
    return found;
  }

  const sized = (index: number, megabytes: number) =>
    span({
      traceId: newTraceId(),
      spanId: String(index).padStart(16, "0"),
      startUnixNano: START_UNIX_NANO + BigInt(index),
      attributes: [["gen_ai.prompt", "x".repeat(megabytes * 1024 * 1024)]],
    });

  test("of one span where each is larger than a page, newest first", async () => {
    const spans = Array.from({ length: 12 }, (_, index) => sized(index, 4));
    await store.addSpans(project, groupOf(...spans));
    expect(await pages()).toEqual(spans.map(({ spanId }) => [spanId]).reverse());
  });

  test("that end before the span which is too much, whatever those before it were", async () => {
    const spans = [0.1, 0.1, 0.1, 4, 1.9, 0.7, 0.7, 0.7, 0, 0].map((size, index) =>
      sized(index, size),
    );
    await store.addSpans(project, groupOf(...spans));
    const counts = (await pages()).map(({ length }) => length);
    expect(counts).toEqual([4, 1, 1, 1, 1, 2]);
  });
});

test("tables that a newer program wrote are refused", async () => {
  await store.close();
  const database = await openDatabase({ dataDir });
  await database.write("INSERT INTO schema_migrations (version, name) SELECT 999, 'tomorrow'");
  await database.close();

  await expect(openStore({ dataDir })).rejects.toThrow(/newer agentops-local/);

  const repaired = await openDatabase({ dataDir });
  await repaired.write("DELETE FROM schema_migrations WHERE version = 999");
  await repaired.close();
  store = await openStore({ dataDir });
});

test("the embedded engine may take two gigabytes of memory, a quarter of it for its caches", async () => {
  await store.close();
  const database = await openDatabase({ dataDir });
  const limits = await database.read<{ name: string; value: number }>(
    `SELECT name, toUInt64(value) AS value FROM system.server_settings
    WHERE name = 'max_server_memory_usage'
      OR match(name, '^(index_)?mark_cache_size$') OR name LIKE 'text_index%cache_size'`,
  );
  await database.close();
  store = await openStore({ dataDir });

  const gibibyte = 1024 ** 3;
  const caches = limits.filter(({ name }) => name.endsWith("cache_size"));
  expect(limits).toContainEqual({ name: "max_server_memory_usage", value: 2 * gibibyte });
  expect(caches).toHaveLength(5);
  expect(caches.reduce((sum, { value }) => sum + value, 0)).toBe(gibibyte / 2);
});

test("the embedded engine reads with as many threads as it may have, whatever memory is free", async () => {
  await store.close();
  const database = await openDatabase({ dataDir });
  const [setting] = await database.read<{ threads: number }>(
    "SELECT toUInt8(getSetting('max_threads')) AS threads",
  );
  const pipeline = await database.read<{ explain: string }>(
    "EXPLAIN PIPELINE SELECT sum(number) FROM numbers_mt(100000000)",
  );
  await database.close();
  store = await openStore({ dataDir });

  const threads = setting?.threads === 1 ? "" : ` × ${setting?.threads}`;
  expect(pipeline.map(({ explain }) => explain.trim())).toContain(`AggregatingTransform${threads}`);
});
