/** A small AgentOps as a process of its own: `upstream.ts <bearer or public> <spans> <latency ms>`. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, respond, routeNotFound } from "../packages/mcp/test/api/fault-server.js";
import {
  detailOf,
  summaryOf,
  tokenAnswer,
  wantsSession,
} from "../packages/mcp/test/api/scripts.js";

/** What was asked since the report before. */
export interface UpstreamReport {
  requestCount: number;
  mostInFlight: number;
}

const [generation, spans, latencyMs] = process.argv.slice(2);
const answers = generation === "bearer" ? bearerAnswers() : publicAnswers();
let report: UpstreamReport = { requestCount: 0, mostInFlight: 0 };
let inFlight = 0;

const server = createServer(async (incoming, outgoing) => {
  incoming.resume();
  inFlight += 1;
  report.requestCount += 1;
  report.mostInFlight = Math.max(report.mostInFlight, inFlight);
  if (Number(latencyMs) > 0) await sleep(Number(latencyMs));
  await respond(outgoing, answers[incoming.url?.split("?")[0] ?? ""] ?? routeNotFound);
  inFlight -= 1;
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
process.on("message", () => {
  process.send?.(report);
  report = { requestCount: 0, mostInFlight: 0 };
});
process.on("disconnect", () => process.exit());

/** A deployment that shows a trace to an API key in one answer. */
function bearerAnswers(): Record<string, Answer> {
  const trace = detailOf(Number(spans));
  const traces = trace.spans
    .slice(0, 1)
    .map(({ start_time }) => ({ trace_id: trace.trace_id, start_time }));
  return prepared({
    "/v3/auth/token": tokenAnswer,
    "/v4/traces": { body: { traces, total: 1 } },
    [`/v4/traces/${trace.trace_id}`]: { body: trace },
  });
}

/** One that shows it span by span. */
function publicAnswers(): Record<string, Answer> {
  const { trace_id, spans: details } = detailOf(Number(spans));
  return prepared({
    "/v3/auth/token": tokenAnswer,
    [`/v4/traces/detail/${trace_id}`]: wantsSession,
    [`/public/v1/traces/${trace_id}`]: { body: summaryOf(details.length) },
    [`/public/v1/traces/${trace_id}/metrics`]: { body: { span_count: details.length } },
    ...Object.fromEntries(
      details.map((span) => [`/public/v1/spans/${span.span_id}`, { body: span }]),
    ),
  });
}

/** As bytes, so that the caller is measured and not this. */
function prepared(routes: Record<string, Answer>): Record<string, Answer> {
  return Object.fromEntries(
    Object.entries(routes).map(([path, { body, ...answer }]) => [
      path,
      { ...answer, body: Buffer.from(JSON.stringify(body)) },
    ]),
  );
}
