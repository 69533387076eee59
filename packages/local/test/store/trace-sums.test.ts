import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
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
const folder = folderForTests();
let store: Store;
beforeAll(async () => {
  store = await openStore({ dataDir: await folder });
});
afterAll(() => store.close());

const anySpan = fc.record({
  kind: fc.constantFrom("llm", "tool", "agent", "workflow", "nothing known"),
  tokens: fc.nat(1000),
  /** Eighths, so that sums are exact in any order. */
  cost: fc.nat(80).map((eighths) => eighths / 8),
  status: fc.constantFrom("Ok", "Error", "Unset"),
  isRoot: fc.boolean(),
});

test("a trace's spans add up to what its summary says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anySpan, { minLength: 1, maxLength: 12 }), async (spans) => {
      const traceId = newTraceId();
      await store.addSpans(project, [
        {
          resource: { serviceName: "", attributes: [] },
          scope: { name: "", version: "" },
          spans: spans.map((span, index) => record(traceId, span, index)),
        },
      ]);
      const sums = createTraceSums();
      for (const span of await collect(store.traceSpans(project, traceId))) sums.add(span);
      expect(await store.trace(project, traceId)).toMatchObject(sums.result() ?? {});
      expect(sums.result()?.spanCount).toBe(spans.length);
    }),
    { numRuns: 8 },
  );
});

test("a trace without spans adds up to nothing", () => {
  expect(createTraceSums().result()).toBeUndefined();
});

type AnySpan = typeof anySpan extends fc.Arbitrary<infer Span> ? Span : never;

function record(traceId: string, span: AnySpan, index: number): SpanRecord {
  return {
    traceId,
    spanId: newSpanId(),
    parentSpanId: span.isRoot ? "" : newSpanId(),
    traceState: "",
    name: "work",
    kind: "Internal",
    startUnixNano: START_UNIX_NANO + BigInt(index),
    durationNano: 1n,
    status: span.status,
    statusMessage: "",
    attributes: [
      ["agentops.span.kind", span.kind],
      ["agentops.tags", `["${index}"]`],
      ["gen_ai.usage.prompt_tokens", String(span.tokens)],
      ["gen_ai.usage.total_cost", String(span.cost)],
    ],
    events: [],
    links: [],
  };
}
