import { fetchToken, readAs } from "../harness.js";
import { exportOf, newTraceId, type OtlpExport, spanAt, toProtobuf } from "../otlp-message.js";

export const SPANS_PER_TRACE = 5;
const TRACE_MS = 10;

/** Sends traces, and remembers which of them the server said are stored. */
export interface Exporter {
  readonly sent: ReadonlyMap<string, OtlpExport>;
  readonly acknowledged: ReadonlySet<string>;
  /** One new trace. Undefined if the connection broke. */
  sendTrace(url: string): Promise<Response | undefined>;
}

export function createExporter(): Exporter {
  const sent = new Map<string, OtlpExport>();
  const acknowledged = new Set<string>();
  return {
    sent,
    acknowledged,
    async sendTrace(url) {
      const traceId = newTraceId();
      const startMs = sent.size * TRACE_MS;
      const spans = Array.from({ length: SPANS_PER_TRACE }, (_, n) =>
        spanAt(startMs + n, 1, { traceId }),
      );
      const message = exportOf(...spans);
      sent.set(traceId, message);
      const response = await sendExport(url, message).catch(() => undefined);
      if (response?.status === 200) acknowledged.add(traceId);
      return response;
    },
  };
}

export async function sendExport(url: string, message: OtlpExport): Promise<Response> {
  const headers = { "content-type": "application/x-protobuf" };
  return await fetch(`${url}/v1/traces`, { method: "POST", headers, body: toProtobuf(message) });
}

/** Of these traces, those that are not there once and whole, in their spans and in their sums. */
export async function brokenTraces(url: string, traceIds: Iterable<string>): Promise<string[]> {
  const token = await fetchToken(url);
  const broken: string[] = [];
  const left = [...traceIds];
  async function check(): Promise<void> {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const { body } = await readAs(url, `/v4/traces/${id}`, token);
      const counts = [body.metrics?.span_count, body.spans?.length];
      if (counts.some((count) => count !== SPANS_PER_TRACE)) broken.push(`${id}: ${counts}`);
    }
  }
  await Promise.all(Array.from({ length: 4 }, check));
  return broken;
}
