import { type OtlpSpan, type Run, spansOf, toOtlp } from "./run.js";

/** Exports runs over OTLP/HTTP to a server that takes them without a token. */
export async function sendRuns(url: string, runs: readonly Run[]): Promise<void> {
  await sendSpans(url, runs.flatMap(spansOf));
}

/** Exports spans by themselves, as a run sends them while it goes on. */
export async function sendSpans(url: string, spans: readonly OtlpSpan[]): Promise<void> {
  const response = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: toOtlp(spans),
  });
  if (!response.ok) throw new Error(`the export was answered with ${response.status}`);
}
