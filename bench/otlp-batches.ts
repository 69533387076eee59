/** OTLP bodies as the OpenTelemetry SDK's own exporter puts them on the wire. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { context, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";

/** The batch size of the AgentOps SDK. */
export const SPANS_PER_BATCH = 512;
export const SPANS_PER_TRACE = 16;
const MIN_TEXT_BYTES = 1024;
const MAX_TEXT_BYTES = 8 * 1024;

/** One export that can be sent any number of times, as new spans each time. */
export interface Batch {
  readonly body: Buffer;
  /** Makes new spans of those in the body: other ids, and times as if just recorded. A number must not come twice. */
  renew(sequence: number): void;
}

/** Records traces of model calls with 1 to 8 KB of text each (small ones more often), and exports them. */
export async function recordBatches(count: number): Promise<Batch[]> {
  const sink = createServer(async (request, response) => {
    bodies.push(await buffer(request));
    response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
  });
  const bodies: Buffer[] = [];
  sink.listen(0, "127.0.0.1");
  await once(sink, "listening");
  const { port } = sink.address() as AddressInfo;
  const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces` });

  const batches: Batch[] = [];
  for (let index = 0; index < count; index++) {
    const spans = recordSpans();
    await new Promise((resolve) => exporter.export(spans, resolve));
    const body = bodies[index];
    if (body) batches.push(createBatch(body, spans));
  }
  await exporter.shutdown();
  sink.closeAllConnections();
  sink.close();
  return batches;
}

function createBatch(body: Buffer, spans: readonly ReadableSpan[]): Batch {
  const recordedAtMs = Date.now();
  const idOffsets: number[] = [];
  const times: { readonly offset: number; readonly unixNano: bigint }[] = [];
  let from = 0;
  const find = (bytes: Buffer) => {
    from = body.indexOf(bytes, from);
    return from;
  };
  for (const span of spans) {
    const { traceId, spanId } = span.spanContext();
    for (const id of [traceId, spanId, span.parentSpanContext?.spanId]) {
      if (id !== undefined) idOffsets.push(find(Buffer.from(id, "hex")));
    }
    for (const [seconds, nanos] of [span.startTime, span.endTime]) {
      const unixNano = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
      times.push({ offset: find(fixed64(unixNano)), unixNano });
    }
  }
  return {
    body,
    renew(sequence) {
      for (const offset of idOffsets) body.writeUInt32LE(sequence, offset);
      const ageNano = BigInt(Date.now() - recordedAtMs) * 1_000_000n;
      for (const { offset, unixNano } of times) body.writeBigUInt64LE(unixNano + ageNano, offset);
    },
  };
}

function fixed64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function recordSpans(): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "agentops" }),
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  const tracer = provider.getTracer("agentops");
  for (let done = 0; done < SPANS_PER_BATCH; done += SPANS_PER_TRACE) recordTrace(tracer);
  return memory.getFinishedSpans();
}

function recordTrace(tracer: Tracer): void {
  const root = tracer.startSpan("default.session", {
    attributes: { "agentops.span.kind": "session", "agentops.tags": ["bench"] },
  });
  const within = trace.setSpan(context.active(), root);
  for (let call = 1; call < SPANS_PER_TRACE; call++) {
    const span = tracer.startSpan(
      "openai.chat.completion",
      { kind: SpanKind.CLIENT, attributes: modelCall() },
      within,
    );
    span.setStatus({ code: SpanStatusCode.OK });
    span.end();
  }
  root.end();
}

function modelCall() {
  const bytes = MIN_TEXT_BYTES * (MAX_TEXT_BYTES / MIN_TEXT_BYTES) ** Math.random();
  return {
    "gen_ai.system": "OpenAI",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.request.type": "chat",
    "gen_ai.request.temperature": 0.7,
    "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
    "gen_ai.response.id": `chatcmpl-${Math.random().toString(36).slice(2)}`,
    "gen_ai.prompt.0.role": "system",
    "gen_ai.prompt.0.content": words(bytes * 0.2),
    "gen_ai.prompt.1.role": "user",
    "gen_ai.prompt.1.content": words(bytes * 0.5),
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": words(bytes * 0.3),
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.usage.prompt_tokens": Math.round(bytes / 5),
    "gen_ai.usage.completion_tokens": Math.round(bytes / 12),
    "gen_ai.usage.total_tokens": Math.round(bytes / 5) + Math.round(bytes / 12),
  };
}

const VOCABULARY_SIZE = 4000;
const vocabulary = Array.from({ length: VOCABULARY_SIZE }, () => {
  const length = 2 + Math.floor(Math.random() * 9);
  return Array.from({ length }, () => "etaoinshrdlucmfwypvbgkjqxz"[letter()]).join("");
});

/** Text that compresses like prose: few words are frequent, most are rare. */
function words(bytes: number): string {
  let text = "";
  while (text.length < bytes) {
    text += `${vocabulary[Math.floor(VOCABULARY_SIZE * Math.random() ** 3)]} `;
  }
  return text;
}

function letter(): number {
  return Math.floor(26 * Math.random() ** 2);
}
