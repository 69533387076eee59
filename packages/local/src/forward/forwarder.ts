import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type CloudOptions, createCloud, type Delivery, type Exchange } from "./cloud.js";
import { type Entry, openQueue, type Taken } from "./queue.js";

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
  /** Refused by the cloud for good, or met a full queue. */
  readonly dropped: number;
}

/** Deliveries under way: a sender of small exports must not be limited by the way to the cloud and back. */
const CONCURRENCY = 4;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

const compress = promisify(gzip);

export interface ForwarderOptions extends CloudOptions {
  readonly folder: string;
  readonly onError: (error: unknown) => void;
}

/** Opens the queue in `folder` and starts to send what is in it. */
export async function openForwarder(options: ForwarderOptions): Promise<Forwarder> {
  const { folder, urls, onError } = options;
  const queue = await openQueue(folder);
  const cloud = createCloud(options);
  const closing = new AbortController();
  const deliveries = new Set<Promise<void>>();
  let sent = 0;
  let dropped = 0;
  let retryMs = FIRST_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;

  /** Starts as many deliveries as may be under way, unless the cloud is being left alone for a while. */
  function pump(): void {
    const isHeld = () => closing.signal.aborted || timer !== undefined;
    while (!isHeld() && deliveries.size < CONCURRENCY && queue.size().waiting > 0) {
      const delivery = deliverNext().finally(() => deliveries.delete(delivery));
      delivery.then(pump, onError);
      deliveries.add(delivery);
    }
  }

  async function deliverNext(): Promise<void> {
    const taken = await queue.take();
    if (taken) await settle(taken, await cloud.deliver(taken.entry, closing.signal));
  }

  async function settle(taken: Taken, delivery: Delivery): Promise<void> {
    if (delivery === "later") {
      taken.putBack();
      pause();
      return;
    }
    await taken.remove();
    retryMs = FIRST_RETRY_MS;
    if (delivery === "sent") sent++;
    else dropped++;
  }

  function pause(): void {
    if (timer || closing.signal.aborted) return;
    timer = setTimeout(() => {
      timer = undefined;
      pump();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }

  pump();

  return {
    exchange: (apiKey) => cloud.exchange(apiKey),

    async add(entry) {
      if (!(await queue.add(await compressed(entry)))) dropped++;
      pump();
    },

    status() {
      const { waiting, taken, bytes } = queue.size();
      return { to: urls.api, queued: waiting + taken, queued_bytes: bytes, sent, dropped };
    },

    async close() {
      closing.abort();
      clearTimeout(timer);
      await Promise.allSettled(deliveries);
    },
  };
}

/** A collector reads compressed exports; AgentOps' API keeps an upload as it comes. */
async function compressed(entry: Entry): Promise<Entry> {
  if (entry.target === "api") return entry;
  const headers = { ...entry.headers, "content-encoding": "gzip" };
  return { ...entry, headers, body: await compress(entry.body) };
}
