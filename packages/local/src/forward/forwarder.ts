import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type Cloud, type CloudOptions, createCloud, type Exchange } from "./cloud.js";
import { createLane, type LaneOptions } from "./lane.js";
import { countEntries, type Entry, openQueue, targets } from "./queue.js";

/** Passes on to a cloud what was stored here, at least once, in its own time. */
export interface Forwarder {
  exchange(apiKey: string): Promise<Exchange>;
  /** Resolves once the entry is on disk; its delivery is nothing to wait for. */
  add(entry: Entry): Promise<void>;
  status(): ForwardStatus;
  /** Stops sending; what is left is sent after the next start. */
  close(): Promise<void>;
}

/** Counts are of exports and logs; `sent` and `dropped` since the start. */
export interface ForwardStatus {
  readonly to: string;
  readonly queued: number;
  readonly queued_bytes: number;
  readonly sent: number;
  /** Refused by the cloud for good, failed too often, damaged on disk, or met a full queue. */
  readonly dropped: number;
}

const compress = promisify(gzip);

export interface ForwarderOptions
  extends CloudOptions,
    Pick<LaneOptions, "pace" | "onError" | "onWarning"> {
  readonly folder: string;
}

/** Opens the queues in `folder`, one for each host, and starts to send what is in them. */
export async function openForwarder(options: ForwarderOptions): Promise<Forwarder> {
  const { folder, urls } = options;
  const cloud = createCloud(options);
  let unqueued = 0;

  async function openTarget(target: Entry["target"]) {
    const queue = await openQueue(join(folder, target));
    return { queue, lane: createLane({ ...options, queue, cloud }) };
  }
  const opened = { api: await openTarget("api"), exporter: await openTarget("exporter") };
  const { api, exporter } = opened;
  api.lane.pump();
  exporter.lane.pump();
  void warnIfAway(cloud, options);

  return {
    exchange: (apiKey) => cloud.exchange(apiKey),

    async add(entry) {
      const { queue, lane } = opened[entry.target];
      if (!(await queue.add(await compressed(entry)))) unqueued++;
      lane.pump();
    },

    status() {
      const [logs, exports] = [api.queue.size(), exporter.queue.size()];
      const [ofLogs, ofExports] = [api.lane.tally(), exporter.lane.tally()];
      return {
        to: urls.api,
        queued: logs.entries + exports.entries,
        queued_bytes: logs.bytes + exports.bytes,
        sent: ofLogs.sent + ofExports.sent,
        dropped: ofLogs.dropped + ofExports.dropped + unqueued,
      };
    },

    async close() {
      await Promise.all([api.lane.close(), exporter.lane.close()]);
    },
  };
}

async function warnIfAway(
  cloud: Cloud,
  { onWarning }: Pick<ForwarderOptions, "onWarning">,
): Promise<void> {
  for (const url of await cloud.missing()) {
    onWarning(
      `${url} does not answer as AgentOps does. What arrives waits on disk until it does; if the URL is wrong, start again with another --forward or --forward-exporter.`,
    );
  }
}

/** What waits in the queues in `folder` while no forwarder has them open. */
export async function countQueued(folder: string): Promise<number> {
  const counts = await Promise.all(targets.map((target) => countEntries(join(folder, target))));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** A collector reads compressed exports; AgentOps' API keeps an upload as it comes. */
async function compressed(entry: Entry): Promise<Entry> {
  if (entry.target === "api") return entry;
  const headers = { ...entry.headers, "content-encoding": "gzip" };
  return { ...entry, headers, body: await compress(entry.body) };
}
