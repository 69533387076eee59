import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../harness.js";
import { exportOf, newTraceId, spanAt, text, toProtobuf } from "../otlp-message.js";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** In 10^-10 USD, so that sums of them are exact; undefined where a span does not say. */
interface Costs {
  readonly prompt: number | undefined;
  readonly completion: number | undefined;
  readonly total: number | undefined;
}
const UNITS_PER_USD = 1e10;

const cost = fc.option(fc.oneof(fc.constant(0), fc.nat(20_000), fc.nat(UNITS_PER_USD)), {
  nil: undefined,
});
const anyCosts: fc.Arbitrary<Costs> = fc.record({ prompt: cost, completion: cost, total: cost });

const isPriced = ({ prompt, completion, total }: Costs) =>
  [prompt, completion, total].some((units) => units !== undefined);
const totalOf = ({ prompt = 0, completion = 0, total = prompt + completion }: Costs) => total;

/** Calls of a model that has no price, as an SDK writes them: small costs with an exponent. */
async function send(traceId: string, calls: readonly Costs[]): Promise<void> {
  const spans = calls.map((costs, index) =>
    spanAt(index, 1, {
      traceId,
      attributes: [
        text("gen_ai.request.model", "house-model-1"),
        text("gen_ai.usage.prompt_tokens", "3"),
        ...Object.entries(costs).flatMap(([part, units]) =>
          units === undefined
            ? []
            : text(`gen_ai.usage.${part}_cost`, String(units / UNITS_PER_USD)),
        ),
      ],
    }),
  );
  await fetch(`${server.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: toProtobuf(exportOf(...spans)),
  });
}

/** Seven decimals, and no further from the amount than they allow. */
function expectUsd(written: string, units: number): void {
  expect(written).toMatch(/^\d+\.\d{7}$/);
  expect(Math.abs(Number(written) - units / UNITS_PER_USD)).toBeLessThan(0.500_001e-7);
}

async function expectFigures(traceId: string, calls: readonly Costs[]): Promise<void> {
  const sum = (of: (costs: Costs) => number) => calls.reduce((units, call) => units + of(call), 0);
  const total = sum(totalOf);

  const { body: trace } = await server.read(`/v4/traces/${traceId}`);
  expect(trace.spans).toHaveLength(calls.length);
  for (const [index, call] of calls.entries()) {
    expectUsd(trace.spans[index].metrics.total_cost, totalOf(call));
  }
  expectUsd(trace.metrics.total_cost, total);
  expectUsd(
    trace.metrics.prompt_cost,
    sum(({ prompt = 0 }) => prompt),
  );
  expectUsd(
    trace.metrics.completion_cost,
    sum(({ completion = 0 }) => completion),
  );

  expect(trace.metrics.unpriced_count).toBe(calls.filter((call) => !isPriced(call)).length);

  const { body: list } = await server.read(`/v4/traces?query=${traceId}`);
  expect(list.traces[0].total_cost).toBe(total / UNITS_PER_USD);
  expect(list.metrics.total_cost).toBe(trace.metrics.total_cost);

  const { body } = await server.read(`/v4/spans/metrics?group_by=model&trace_id=${traceId}`);
  const [row] = body.rows;
  expect(row.unpriced_count).toBe(calls.filter((call) => !isPriced(call)).length);
  if (calls.some(isPriced)) expect(row.total_cost).toBe(total / UNITS_PER_USD);
  else expect(row.total_cost).toBeNull();
}

test("whatever spans cost, it is written with seven decimals, and no cost is told from none", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyCosts, { minLength: 1, maxLength: 20 }), async (calls) => {
      const traceId = newTraceId();
      await send(traceId, calls);
      await expectFigures(traceId, calls);
    }),
    { numRuns: 15, examples: [[[{ prompt: undefined, completion: undefined, total: undefined }]]] },
  );
});

test.each([
  ["both costs", ["gen_ai.usage.prompt_cost", "gen_ai.usage.completion_cost"]],
  ["one cost", ["gen_ai.usage.completion_cost"]],
  ["none", []],
])(
  "a call that came with %s empty is priced, and counted so wherever it is shown",
  async (_, empty) => {
    const traceId = newTraceId();
    const span = spanAt(0, 1, {
      traceId,
      attributes: [
        ...empty.map((key) => text(key, "")),
        text("gen_ai.request.model", "gpt-4o"),
        text("gen_ai.usage.prompt_tokens", "1000"),
        text("gen_ai.usage.completion_tokens", "1000"),
      ],
    });
    await fetch(`${server.url}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf" },
      body: toProtobuf(exportOf(span)),
    });

    const { body: detail } = await server.read(`/v4/traces/${traceId}`);
    const { body: metrics } = await server.read(`/public/v1/traces/${traceId}/metrics`);
    const { body: list } = await server.read(`/v4/traces?query=${traceId}`);
    expect(detail.metrics).toMatchObject({ unpriced_count: 0, total_cost: "0.0125000" });
    expect(detail.metrics).toEqual(metrics);
    expect(list.traces).toMatchObject([{ unpriced_count: 0, total_cost: 0.0125 }]);
  },
);

test("a cost that is empty counts as none, or not, wherever a trace is shown", async () => {
  const traceId = newTraceId();
  const call = (index: number, cost: string) =>
    spanAt(index, 1, {
      traceId,
      attributes: [
        text("gen_ai.request.model", "gpt-4o"),
        text("gen_ai.usage.prompt_tokens", "3"),
        text("gen_ai.usage.prompt_cost", cost),
        text("gen_ai.usage.completion_cost", cost),
      ],
    });
  await fetch(`${server.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body: toProtobuf(exportOf(call(0, ""), call(1, "0.5"))),
  });

  const { body: detail } = await server.read(`/v4/traces/${traceId}`);
  const { body: metrics } = await server.read(`/public/v1/traces/${traceId}/metrics`);
  const { body: list } = await server.read(`/v4/traces?query=${traceId}`);
  expect(detail.metrics).toEqual(metrics);
  expect(detail.metrics.unpriced_count).toBe(list.traces[0].unpriced_count);
});

test("a span that costs just what is asked for, in two parts, costs at least that", async () => {
  const traceId = newTraceId();
  await send(traceId, [{ prompt: 1_000_000, completion: 3_000_000, total: undefined }]);
  const { body } = await server.read(`/v4/spans/search?trace_id=${traceId}&min_cost_usd=0.0004`);
  expect(body.spans).toHaveLength(1);
});

test("a thousand of the smallest costs add up without drifting", async () => {
  const traceId = newTraceId();
  const calls = Array.from({ length: 1000 }, () => ({
    prompt: 1000,
    completion: undefined,
    total: undefined,
  }));
  await send(traceId, calls);
  await expectFigures(traceId, calls);
  const { body } = await server.read(`/public/v1/traces/${traceId}/metrics`);
  expect(body).toMatchObject({ total_cost: "0.0001000", average_cost_per_trace: "0.0001000" });
});
