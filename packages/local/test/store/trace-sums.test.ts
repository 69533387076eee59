import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/store/database.js";
import {
  createTraceSums,
  defaultProject,
  openStore,
  type SpanRecord,
  type Store,
} from "../../src/store/index.js";
import { collect, folderForTests } from "../harness.js";
import { newSpanId, newTraceId, START_UNIX_NANO } from "../otlp-message.js";

const project = defaultProject.id;
let dataDir: string;
let store: Store;
beforeAll(async () => {
  dataDir = await folderForTests();
  store = await openStore({ dataDir });
});
afterAll(() => store.close());

const anySpan = fc.record({
  kind: fc.constantFrom("llm", "tool", "agent", "workflow", "nothing known"),
  tokens: fc.nat(1000),
  /** Eighths, so that sums are exact in any order. */
  cost: fc.option(
    fc.nat(80).map((eighths) => eighths / 8),
    { nil: undefined },
  ),
  status: fc.constantFrom("Ok", "Error", "Unset"),
  isRoot: fc.boolean(),
  // So few that spans of a trace start together, and last as long.
  startNano: fc.bigInt(0n, 1n),
  durationNano: fc.bigInt(0n, 1n),
  /** Which of two inserts brings it. */
  batch: fc.nat(1),
});

const checkedIds: string[] = [];

test("a trace's spans add up to what its summary says, in whatever order they came", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anySpan, { minLength: 1, maxLength: 12 }), async (spans) => {
      const traceId = newTraceId();
      for (const batch of [0, 1]) {
        const records = spans.flatMap((span, index) =>
          span.batch === batch ? [record(traceId, span, index)] : [],
        );
        await store.addSpans(project, [{ ...unnamed, spans: records }]);
      }
      const sums = createTraceSums();
      for (const span of await collect(store.traceSpans(project, traceId))) sums.add(span);
      expect(await store.trace(project, traceId)).toMatchObject(sums.result() ?? {});
      expect(sums.result()?.spanCount).toBe(spans.length);
      checkedIds.push(traceId);
    }),
    { numRuns: 25 },
  );
});

test("merging its parts changes no summary", async () => {
  const read = () => Promise.all(checkedIds.map((traceId) => store.trace(project, traceId)));
  const before = await read();
  await store.close();
  const database = await openDatabase({ dataDir });
  await database.write("OPTIMIZE TABLE trace_summary FINAL");
  await database.close();
  store = await openStore({ dataDir });
  expect(await read()).toEqual(before);
});

test("a trace without spans adds up to nothing", () => {
  expect(createTraceSums().result()).toBeUndefined();
});

const unnamed = {
  resource: { serviceName: "", attributes: [] },
  scope: { name: "", version: "" },
};

type AnySpan = typeof anySpan extends fc.Arbitrary<infer Span> ? Span : never;

function record(traceId: string, span: AnySpan, index: number): SpanRecord {
  return {
    traceId,
    spanId: newSpanId(),
    parentSpanId: span.isRoot ? "" : newSpanId(),
    traceState: "",
    name: "work",
    kind: "Internal",
    startUnixNano: START_UNIX_NANO + span.startNano,
    durationNano: span.durationNano,
    status: span.status,
    statusMessage: "",
    attributes: [
      ["agentops.span.kind", span.kind],
      ["agentops.tags", `["${index}"]`],
      ["gen_ai.usage.prompt_tokens", String(span.tokens)],
      ["gen_ai.usage.total_cost", span.cost === undefined ? "" : String(span.cost)],
    ],
    events: [],
    links: [],
  };
}
