/** A process that exports spans as fast as a server takes them: `otlp-load.ts <url> <exporters> <seconds>`. */
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { type Batch, recordBatches, SPANS_PER_BATCH } from "./otlp-batches.js";

const [url = "", exporters = "1", seconds = "10"] = process.argv.slice(2);

/** What the exporters were told that is stored. */
export interface LoadReport {
  spans: number;
  bytes: number;
  seconds: number;
  /** Exports the server refused for now, to be sent again. */
  refusals: number;
  /** Processor time of this process, which shares the machine with the server. */
  cpuSeconds: number;
}

const agent = new Agent({ keepAlive: true });
const batches = await recordBatches(Number(exporters));
let sequence = Date.now() % 2 ** 31;
const report: LoadReport = { spans: 0, bytes: 0, seconds: 0, refusals: 0, cpuSeconds: 0 };
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
const endsAt = startedAt + Number(seconds) * 1000;
await Promise.all(batches.map(exportUntilTheEnd));
report.seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
report.cpuSeconds = (user + system) / 1e6;
process.send?.(report);
agent.destroy();

async function exportUntilTheEnd(batch: Batch): Promise<void> {
  while (performance.now() < endsAt) {
    batch.renew(sequence++);
    while (!(await send(batch.body))) report.refusals++;
    report.spans += SPANS_PER_BATCH;
    report.bytes += batch.body.length;
  }
}

/** False when the server asked to come back later, after the pause it asked for. */
async function send(body: Buffer): Promise<boolean> {
  const post = request(`${url}/v1/traces`, {
    agent,
    method: "POST",
    headers: { "content-type": "application/x-protobuf", "content-length": body.length },
  });
  post.end(body);
  const [response] = (await once(post, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  if (response.statusCode === 200) return true;
  const retryAfter = Number(response.headers["retry-after"]);
  if (!retryAfter) throw new Error(`The server answered ${response.statusCode}.`);
  await new Promise((resolve) => setTimeout(resolve, retryAfter * 1000));
  return false;
}
