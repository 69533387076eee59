import { inject } from "vitest";

/** Reads a route of the shared agentops-local the way the client does, and returns the body. */
export async function getWithKey(path: string): Promise<string> {
  const { url, apiKey } = inject("local");
  const exchange = await fetch(`${url}/v3/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ api_key: apiKey }),
  });
  const { token } = JSON.parse(await exchange.text());
  const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.text();
}

/** The newest of the shared server's sample runs with so many spans. */
export async function sampleTrace(
  hasSize: (spanCount: number) => boolean,
): Promise<{ trace_id: string; span_count: number }> {
  const { traces } = JSON.parse(await getWithKey("/v4/traces?limit=100"));
  return traces.find((trace: { span_count: number }) => hasSize(trace.span_count));
}
