import { ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { z } from "zod";
import { StartError } from "../start-error.js";
import { migrationRun, researchRun, supportRun } from "./runs.js";
import type { Outcome, SampleSpan } from "./sample-span.js";

export interface SampleOptions {
  /** An AgentOps-compatible server, such as `http://127.0.0.1:8000`. */
  readonly url: string;
  /** Decides the project; without one a local server takes the default project. */
  readonly token?: string;
}

/** On the session of a run, with its name: users tag runs of their own `sample`. */
const MARKER = "agentops_local.sample";

/** The longest last, so that it is the newest: lists are by start. */
const runs = [supportRun, researchRun, migrationRun].map((run) => ({
  ...run,
  attributes: { ...run.attributes, [MARKER]: run.name },
}));

/**
 * The trace ids of the runs that an agentops-local was sent last, the newest last; undefined unless it
 * has all of them.
 *
 * @throws {StartError} when it is answered with an error.
 */
export async function findSampleRuns(
  options: Required<SampleOptions>,
): Promise<string[] | undefined> {
  const found = await Promise.all(runs.map(({ name }) => findRun(name, options)));
  const traceIds = found.flat();
  return traceIds.length === runs.length ? traceIds : undefined;
}

const foundSchema = z.object({ spans: z.array(z.object({ trace_id: z.string() })) });

/** The newest of that name, if there is one. */
async function findRun(name: string, { url, token }: Required<SampleOptions>): Promise<string[]> {
  const query = new URLSearchParams({ attribute: `${MARKER}=${name}`, limit: "1" });
  const response = await fetch(`${url}/v4/spans/search?${query}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) {
    throw new StartError(
      `The server answered ${response.status} when it was asked for the sample runs: ${await response.text()}`,
    );
  }
  const { spans } = foundSchema.parse(await response.json());
  return spans.map(({ trace_id }) => trace_id);
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
