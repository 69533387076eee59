import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { UpstreamReport } from "./upstream.js";

const UPSTREAM = fileURLToPath(new URL("./upstream.ts", import.meta.url));

export interface Upstream extends Disposable {
  readonly url: string;
  /** What it was asked since the last time. */
  report(): Promise<UpstreamReport>;
}

export async function openUpstream(
  generation: "bearer" | "public",
  { spans, latencyMs }: { readonly spans: number; readonly latencyMs: number },
): Promise<Upstream> {
  const child = fork(UPSTREAM, [generation, String(spans), String(latencyMs)]);
  const [url] = await once(child, "message");
  return {
    url,
    async report() {
      child.send("report");
      const [report] = await once(child, "message");
      return report;
    },
    [Symbol.dispose]: () => child.disconnect(),
  };
}
