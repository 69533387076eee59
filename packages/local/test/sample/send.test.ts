import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sendSampleRuns } from "../../src/sample/send.js";
import { fetchToken, startTestServer, type TestServer } from "../harness.js";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

interface SpanBody {
  span_id: string;
  parent_span_id: string;
  span_name: string;
  status_code: string;
  start_time: string;
  end_time: string;
  event_names: string[];
}

test("the OpenTelemetry SDK's sample runs come back over the REST API as they were recorded", async () => {
  const token = await fetchToken(server.url);
  const traceIds = await sendSampleRuns({ url: server.url, token });
  const details = await Promise.all(traceIds.map((id) => server.read(`/v4/traces/${id}`)));
  const [support, research, migration] = details.map(({ body }) => body);

  expect(support.tags).toEqual(["sample", "support-bot"]);
  expect(support.spans.map((span: SpanBody) => span.span_name)).toEqual([
    "support-bot.session",
    "Support.agent",
    "openai.chat.completion",
    "lookup_order.tool",
    "track_parcel.tool",
    "openai.chat.completion",
  ]);
  expect(support.metrics).toMatchObject({ fail_count: 0, prompt_tokens: 530, total_tokens: 603 });
  // 530 and 73 tokens of gpt-4o-mini, at 0.15 and 0.60 USD a million.
  expect(support.metrics).toMatchObject({ prompt_cost: "0.0000795", completion_cost: "0.0000438" });
  expect(support.spans[2].span_attributes.gen_ai.prompt[1]).toEqual({
    role: "user",
    content: "Where is my order 10482? It was due on Tuesday.",
  });

  const failed = research.spans.filter((span: SpanBody) => span.status_code === "ERROR");
  expect(failed.map((span: SpanBody) => span.span_name)).toEqual([
    "research.session",
    "Researcher.agent",
    "fetch_page.tool",
  ]);
  for (const span of failed) expect(span.event_names).toEqual(["exception"]);
  expect(research.spans[0].span_attributes.agentops.session.end_state).toBe("Error");

  expect(migration.spans).toHaveLength(200);
  expect(migration.metrics.span_count).toBe(200);

  const { body: list } = await server.read("/v4/traces");
  const listed = list.traces.map(({ trace_id }: { trace_id: string }) => trace_id);
  expect(listed).toEqual(traceIds.toReversed());
});

test("the list shows what each sample run cost", async () => {
  const { body: list } = await server.read("/v4/traces");
  for (const { total_cost } of list.traces) expect(total_cost).toBeGreaterThan(0);
});

test("in every sample run each span lies within its parent, and the newest run ended just now", async () => {
  const { body: list } = await server.read("/v4/traces");
  expect(Math.abs(Date.now() - Date.parse(list.traces[0].end_time))).toBeLessThan(30_000);
  for (const { trace_id } of list.traces) {
    const { body } = await server.read(`/v4/traces/${trace_id}`);
    const spans = new Map<string, SpanBody>(
      body.spans.map((span: SpanBody) => [span.span_id, span]),
    );
    const roots = body.spans.filter((span: SpanBody) => span.parent_span_id === "");
    expect(roots).toHaveLength(1);
    for (const span of spans.values()) {
      const parent = spans.get(span.parent_span_id) ?? span;
      expect(parent.start_time <= span.start_time && span.end_time <= parent.end_time).toBe(true);
    }
  }
});

test("sample runs that the server does not take are an error", async () => {
  await expect(sendSampleRuns({ url: `${server.url}/elsewhere` })).rejects.toThrow();
});

test("the SDK's JSON exporter works too", async () => {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "my-agent" }),
    spanProcessors: [
      new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${server.url}/v1/traces` })),
    ],
  });
  const span = provider.getTracer("test").startSpan("run", { attributes: { steps: 3 } });
  span.end();
  await provider.forceFlush();
  await provider.shutdown();

  const { body } = await server.read(`/public/v1/spans/${span.spanContext().spanId}`);
  expect(body).toMatchObject({ service_name: "my-agent", span_attributes: { steps: "3" } });
});
