import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  defaultProject,
  openStore,
  type SpanGroup,
  type Store,
  type TraceQuery,
} from "../../src/store/index.js";
import { temporaryFolder } from "../harness.js";
import { newSpanId, newTraceId, START_UNIX_NANO } from "../otlp-message.js";

/** Each trace's later span is in the first batch: what comes first is not what starts first. */
const TRACE_COUNT = 60;
const SECOND_NANO = 1_000_000_000n;
/** The tenth trace of every ten is long: its later span starts after all other traces. */
const traces = Array.from({ length: TRACE_COUNT }, (_, index) => {
  const startUnixNano = START_UNIX_NANO + BigInt(index) * SECOND_NANO;
  const isLong = index % 10 === 0;
  return {
    traceId: newTraceId(),
    startUnixNano,
    laterUnixNano: startUnixNano + (isLong ? 1000n : 5n) * SECOND_NANO,
  };
});

const project = defaultProject.id;
let dataDir: string;
let store: Store;

beforeAll(async () => {
  dataDir = await temporaryFolder();
  store = await openStore({ dataDir });
  await store.addSpans(
    project,
    traces.flatMap((trace) => spanOf(trace, trace.laterUnixNano)),
  );
  await store.addSpans(
    project,
    traces.flatMap((trace) => spanOf(trace, trace.startUnixNano)),
  );
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

function spanOf(
  { traceId }: { traceId: string },
  startUnixNano: bigint,
  status: "Ok" | "Error" = "Ok",
): SpanGroup[] {
  const span = {
    traceId,
    spanId: newSpanId(),
    parentSpanId: "",
    traceState: "",
    name: "work",
    kind: "Internal",
    startUnixNano,
    durationNano: 1n,
    status,
    statusMessage: "",
    attributes: [],
    events: [],
    links: [],
  } as const;
  const resource = { serviceName: "agentops", attributes: [] };
  return [{ resource, scope: { name: "", version: "" }, spans: [span] }];
}

async function list(query: Partial<TraceQuery>) {
  return await store.listTraces(project, {
    fromUnixNano: undefined,
    untilUnixNano: undefined,
    text: "",
    orderBy: "start_time",
    descending: true,
    limit: 3,
    offset: 0,
    ...query,
  });
}

const idsOf = (found: readonly { traceId: string }[]) => found.map(({ traceId }) => traceId);

describe("a page by start time is the same as of all traces sorted", () => {
  const halfway = START_UNIX_NANO + 30n * SECOND_NANO;
  test.each([
    ["first", {}],
    ["first and large", { limit: 50 }],
    ["all", { limit: 100 }],
    ["in the middle", { offset: 25 }],
    ["last", { offset: 58 }],
    ["past the end", { offset: 60 }],
    ["until a time", { untilUnixNano: halfway }],
    ["from a time", { fromUnixNano: halfway }],
    ["between times", { fromUnixNano: halfway, untilUnixNano: halfway, limit: 20 }],
  ])("%s", async (_name, query: Partial<TraceQuery>) => {
    const { fromUnixNano = 0n, untilUnixNano = 2n ** 63n, limit = 3, offset = 0 } = query;
    const matching = traces.filter(
      ({ startUnixNano, laterUnixNano }) =>
        laterUnixNano + 1n >= fromUnixNano && startUnixNano <= untilUnixNano,
    );
    for (const descending of [true, false]) {
      const sorted = descending ? matching.toReversed() : matching;
      const page = await list({ ...query, descending });
      expect(idsOf(page.traces)).toEqual(idsOf(sorted.slice(offset, offset + limit)));
      expect(page.traces.every(({ spanCount }) => spanCount === 2)).toBe(true);
      expect(page.totals).toMatchObject({
        traceCount: matching.length,
        spanCount: 2 * matching.length,
        okTraceCount: matching.length,
      });
    }
  });
});

test("totals are those of now, whatever was read before", async () => {
  const before = (await list({})).totals;
  expect((await list({ offset: 3 })).totals).toEqual(before);
  // Old, so that neither the earliest nor the latest time moves with it.
  const middle = traces[5] ?? { traceId: "" };
  await store.addSpans(project, spanOf(middle, START_UNIX_NANO + 5n * SECOND_NANO));
  const after = (await list({})).totals;
  expect(after).toEqual({ ...before, spanCount: before.spanCount + 1 });
});

test("totals follow a trace that fails late, where it matches", async () => {
  const old = { untilUnixNano: START_UNIX_NANO };
  const totals = { all: (await list({})).totals, old: (await list(old)).totals };
  const last = traces[TRACE_COUNT - 1] ?? { traceId: "" };
  await store.addSpans(project, spanOf(last, START_UNIX_NANO + 70n * SECOND_NANO, "Error"));

  expect((await list(old)).totals).toEqual(totals.old);
  expect((await list({})).totals).toEqual({
    ...totals.all,
    spanCount: totals.all.spanCount + 1,
    okTraceCount: totals.all.okTraceCount - 1,
    failedTraceCount: 1,
  });
});
