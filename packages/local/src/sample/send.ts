import { ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { z } from "zod";
import { migrationRun, researchRun, supportRun } from "./runs.js";
import type { Outcome, SampleSpan } from "./sample-span.js";

export interface SampleOptions {
  /** An AgentOps-compatible server, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Decides the project; without one a local server takes the default project. */
  readonly token?: string;
}

/** The longest last, so that it is the newest: lists are by start. */
const runs = [supportRun, researchRun, migrationRun];

const foundSchema = z.object({ spans: z.array(z.object({ trace_id: z.string() })) });

/** The trace ids of the runs that an agentops-local was sent last, the newest last. */
export async function findSampleRuns({ url, token }: Required<SampleOptions>): Promise<string[]> {
  const query = new URLSearchParams({
    kind: "session",
    attribute: 'agentops.tags="sample"',
    limit: String(runs.length),
  });
  const response = await fetch(`${url}/v4/spans/search?${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { spans } = foundSchema.parse(await response.json());
  return spans.map(({ trace_id }) => trace_id).reverse();
}

/**
 * Records three runs with the OpenTelemetry SDK and exports them over OTLP/HTTP: one that succeeds, one
 * whose tool fails, one of 200 spans. They lasted as long as such runs do, one after the other, and the
 * last ended just now.
 *
 * @returns the trace ids, in that order: the newest last.
 * @throws when the server does not take them.
 */
export async function sendSampleRuns({ url, token }: SampleOptions): Promise<string[]> {
  const exporter = new OTLPTraceExporter({
    url: `${url}/v1/traces`,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "agentops" }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });

  const tracer = provider.getTracer("agentops");
  let startMs = Date.now() - runs.reduce((sum, run) => sum + durationMs(run), 0);
  const traceIds = runs.map((run) => {
    const { traceId } = recordSpan(tracer, run, { context: ROOT_CONTEXT, startMs });
    startMs += durationMs(run);
    return traceId;
  });
  await provider.forceFlush();
  await provider.shutdown();
  return traceIds;
}

/** Children run one after the other; what the span does by itself comes last. */
function recordSpan(
  tracer: Tracer,
  sample: SampleSpan,
  { context, startMs }: { context: typeof ROOT_CONTEXT; startMs: number },
): { traceId: string } {
  const { name, kind, attributes, children = [] } = sample;
  const span = tracer.startSpan(
    name,
    { startTime: startMs, attributes, ...(kind !== undefined && { kind }) },
    context,
  );

  let childStartMs = startMs;
  for (const child of children) {
    childStartMs += child.delayMs ?? 0;
    recordSpan(tracer, child, { context: trace.setSpan(context, span), startMs: childStartMs });
    childStartMs += durationMs(child);
  }

  const endMs = startMs + durationMs(sample);
  if (sample.outcome) applyOutcome(span, sample.outcome, endMs);
  span.end(endMs);
  return span.spanContext();
}

function applyOutcome(
  span: ReturnType<Tracer["startSpan"]>,
  outcome: Outcome,
  endMs: number,
): void {
  if (outcome.kind === "ok") {
    span.setStatus({ code: SpanStatusCode.OK });
    return;
  }
  const { type, message, stacktrace } = outcome.error;
  span.setStatus({ code: SpanStatusCode.ERROR, message: `${type}: ${message}` });
  const exception = {
    "exception.type": type,
    "exception.message": message,
    "exception.stacktrace": stacktrace,
    "exception.escaped": "False",
  };
  span.addEvent("exception", exception, endMs);
}

function durationMs({ selfMs, children = [] }: SampleSpan): number {
  return children.reduce((sum, child) => sum + (child.delayMs ?? 0) + durationMs(child), selfMs);
}
