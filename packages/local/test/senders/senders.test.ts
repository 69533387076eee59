import { rm } from "node:fs/promises";
import { SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runProjects } from "../../src/projects.js";
import {
  defaultKey,
  defaultProjectId,
  fetchToken,
  readAs,
  startTestServer,
  type TestServer,
  temporaryFolder,
} from "../harness.js";
import { findPython } from "./python.js";
import { runProgram } from "./run-program.js";

/** The SDKs that people use, as they come from their registries, against the server. */

const python = await findPython();

let server: TestServer;
let workFolder: string;
beforeAll(async () => {
  server = await startTestServer();
  workFolder = await temporaryFolder();
});
afterAll(async () => {
  await server.close();
  await rm(workFolder, { recursive: true });
});

interface SpanBody {
  readonly span_name: string;
  readonly status_code: string;
  readonly event_names: string[];
}

async function trace(traceId: string) {
  const { status, body } = await server.read(`/v4/traces/${traceId}`);
  expect(status).toBe(200);
  return body;
}

const names = (spans: readonly SpanBody[]) => spans.map(({ span_name }) => span_name).sort();

test("AgentOps' TypeScript SDK: JSON with numbers for integers", async () => {
  const printed = await runProgram(process.execPath, ["agentops.cjs", server.url, defaultKey]);
  const [, traceId = ""] = /^trace (\w+)$/m.exec(printed) ?? [];
  const { spans, metrics, project_id } = await trace(traceId);

  expect(project_id).toBe(defaultProjectId);
  expect(names(spans)).toEqual(["checkout.agent", "openai.chat.completion"]);
  const chat = spans.find((span: SpanBody) => span.span_name === "openai.chat.completion");
  expect(chat).toMatchObject({ span_type: "request", status_code: "OK", service_name: "shop" });
  expect(chat.span_attributes.gen_ai.request).toMatchObject({
    model: "gpt-4o-mini",
    temperature: "0.5",
    streaming: "false",
  });
  expect(metrics).toMatchObject({
    prompt_tokens: 1000,
    completion_tokens: 500,
    total_tokens: 1500,
    prompt_cost: "0.0001500",
    completion_cost: "0.0003000",
  });
});

test.each([
  ["protobuf", ProtobufExporter],
  ["JSON", JsonExporter],
])("the OpenTelemetry SDK for JavaScript, by the GenAI conventions, as %s", async (_, Exporter) => {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "shop" }),
    spanProcessors: [new SimpleSpanProcessor(new Exporter({ url: `${server.url}/v1/traces` }))],
  });
  const span = provider.getTracer("shop").startSpan("chat gpt-4o-mini");
  span.setAttributes({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 500,
    "gen_ai.usage.cache_read.input_tokens": 400,
    "gen_ai.usage.reasoning.output_tokens": 100,
    "gen_ai.input.messages": JSON.stringify([{ role: "user", parts: [] }]),
  });
  span.setStatus({ code: SpanStatusCode.OK });
  span.end();
  await provider.shutdown();

  const { spans, metrics } = await trace(span.spanContext().traceId);
  expect(spans[0]).toMatchObject({ span_type: "request", metrics: { success_tokens: 1500 } });
  expect(spans[0].span_attributes.gen_ai.input.messages).toBe('[{"role":"user","parts":[]}]');
  expect(metrics).toMatchObject({
    prompt_tokens: 1000,
    completion_tokens: 500,
    cache_read_input_tokens: 400,
    reasoning_tokens: 100,
    total_tokens: 1500,
    prompt_cost: "0.0001200",
    completion_cost: "0.0003000",
  });
});

describe("an OpenTelemetry SDK that is given a token", () => {
  let projectId: string;
  let token: string;
  beforeAll(async () => {
    const created = await runProjects({ kind: "create", name: "shop" }, server);
    const [, id = "", key] = created.trim().split(/ {2,}/);
    projectId = id;
    token = await fetchToken(server.url, key);
    vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", `Authorization=Bearer%20${token}`);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  async function expectInProject(traceId: string): Promise<void> {
    const { body } = await readAs(server.url, `/v4/traces/${traceId}`, token);
    expect(body.project_id).toBe(projectId);
  }

  test("sends to its project, in JavaScript", async () => {
    const provider = new BasicTracerProvider({
      spanProcessors: [
        new SimpleSpanProcessor(new ProtobufExporter({ url: `${server.url}/v1/traces` })),
      ],
    });
    const span = provider.getTracer("shop").startSpan("work");
    span.end();
    await provider.shutdown();
    await expectInProject(span.spanContext().traceId);
  });

  test.skipIf(!python)("sends to its project, in Python", async () => {
    const options = { env: process.env, cwd: workFolder };
    const printed = await runProgram(python ?? "", ["otel_run.py", server.url], options);
    await expectInProject(printed.split(" ")[0] ?? "");
  });
});

describe.skipIf(!python)("in Python", () => {
  const run = (...args: [string, ...string[]]) => {
    const env = {
      ...process.env,
      AGENTOPS_API_KEY: defaultKey,
      AGENTOPS_API_ENDPOINT: server.url,
      AGENTOPS_EXPORTER_ENDPOINT: `${server.url}/v1/traces`,
      AGENTOPS_APP_URL: server.url,
    };
    return runProgram(python ?? "", args, { env, cwd: workFolder });
  };

  test("AgentOps' SDK loses nothing, not even what it sends before it has its token", async () => {
    const printed = await run("agentops_run.py");
    const [, early = "", late = ""] = /^traces (\w+) (\w+)$/m.exec(printed) ?? [];

    for (const [name, traceId] of Object.entries({ early, late })) {
      const { spans, tags, metrics, project_id } = await trace(traceId);
      expect(project_id).toBe(defaultProjectId);
      expect(tags).toEqual(["sender", name]);
      expect(names(spans)).toEqual(
        [
          "Support.agent",
          "ask_model.task",
          "fetch_page.tool",
          `${name}.session`,
          "lookup_order.tool",
          "openai.chat.completion",
        ].sort(),
      );
      const failed = spans.filter((span: SpanBody) => span.status_code === "ERROR");
      expect(names(failed)).toEqual(["fetch_page.tool"]);
      expect(metrics).toMatchObject({ total_tokens: 1500, total_cost: "0.0004500" });
    }

    // It uploads what was printed until its first trace ended, under that trace's id in decimal.
    const { body: log } = await server.read(`/v4/logs/${early}`);
    expect(JSON.parse(log.content).body).toContain("gave up: timed out after 10 s");

    const [, link = ""] = /^link (\S+)$/m.exec(printed) ?? [];
    expect(await (await fetch(link)).text()).toContain(`${server.url}/v4/traces/${late}`);
  });

  test("the OpenTelemetry SDK: protobuf, gzip, metrics", async () => {
    const printed = await run("otel_run.py", server.url);
    const [traceId = "", tracesSent, metricsSent] = printed.trim().split(" ");
    expect([tracesSent, metricsSent]).toEqual(["True", "True"]);

    const { spans, metrics } = await trace(traceId);
    expect(spans[0]).toMatchObject({ span_name: "chat gpt-4o-mini", service_name: "shop" });
    expect(spans[0].span_attributes.shop.shelves).toBe("[1,2,3]");
    expect(metrics).toMatchObject({
      prompt_tokens: 1000,
      cache_read_input_tokens: 400,
      prompt_cost: "0.0001200",
    });
  });
});
