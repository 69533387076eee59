import { z } from "zod";
import type { Entry } from "./queue.js";

/** Where a deployment of AgentOps is: its API, and the collector that takes spans. */
export interface CloudUrls {
  readonly api: string;
  readonly exporter: string;
}

/** AgentOps Cloud's two hosts. */
export const agentopsCloud: CloudUrls = {
  api: "https://api.agentops.ai",
  exporter: "https://otlp.agentops.ai",
};

export type Exchange =
  | { readonly kind: "accepted"; readonly token: string; readonly projectId: string }
  | { readonly kind: "refused" }
  | { readonly kind: "unreachable" };

/** What became of an entry: `later` is worth another try, `never` is not. */
export type Delivery = "sent" | "later" | "never";

/** The deployment that everything is passed on to. */
export interface Cloud {
  /** Exchanges the key for a token, which later deliveries of that key use. */
  exchange(apiKey: string): Promise<Exchange>;
  /** Those of its URLs where no AgentOps answers. */
  missing(): Promise<readonly string[]>;
  deliver(entry: Entry, signal: AbortSignal): Promise<Delivery>;
}

/** An SDK waits for its token, so a cloud that does not answer must not hold it up. */
export const EXCHANGE_TIMEOUT_MS = 3000;
const DELIVERY_TIMEOUT_MS = 30_000;

export interface CloudOptions {
  readonly urls: CloudUrls;
  readonly fetch: typeof fetch;
}

export function createCloud({ urls, fetch }: CloudOptions): Cloud {
  const post = postWith(fetch);
  /** By key, in memory only. */
  const tokens = new Map<string, string>();

  async function exchange(apiKey: string, signal?: AbortSignal): Promise<Exchange> {
    const exchanged = await requestToken(post, urls.api, { apiKey, signal });
    if (exchanged.kind === "accepted") tokens.set(apiKey, exchanged.token);
    return exchanged;
  }

  return {
    exchange: (apiKey) => exchange(apiKey),

    async missing() {
      // Without a key or a span, so that none is told to whatever is there.
      const [exchanged, exported] = await Promise.all([
        exchange(""),
        post(`${urls.exporter}/v1/traces`, { signal: AbortSignal.timeout(EXCHANGE_TIMEOUT_MS) }),
      ]);
      await exported?.body?.cancel();
      const missing = new Set<string>();
      if (exchanged.kind === "unreachable") missing.add(urls.api);
      if (!exported || isTemporary(exported.status)) missing.add(urls.exporter);
      return [...missing];
    },

    async deliver(entry, signal) {
      const url = urls[entry.target] + entry.path;
      const known = tokens.get(entry.apiKey);
      const first = known ? await send(post, url, { entry, token: known, signal }) : "unauthorized";
      if (first !== "unauthorized") return first;

      const exchanged = await exchange(entry.apiKey, signal);
      if (exchanged.kind !== "accepted") return exchanged.kind === "refused" ? "never" : "later";
      const second = await send(post, url, { entry, token: exchanged.token, signal });
      return second === "unauthorized" ? "never" : second;
    },
  };
}

type Post = (url: string, init: RequestInit) => Promise<Response | undefined>;

/** Undefined if no answer came. A redirect is not followed: a token must not go to another host. */
function postWith(fetch: CloudOptions["fetch"]): Post {
  return (url, init) =>
    fetch(url, { ...init, method: "POST", redirect: "error" }).catch(() => undefined);
}

async function requestToken(
  post: Post,
  apiUrl: string,
  { apiKey, signal }: { apiKey: string; signal: AbortSignal | undefined },
): Promise<Exchange> {
  const response = await post(`${apiUrl}/v3/auth/token`, {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ api_key: apiKey }),
    signal: within(EXCHANGE_TIMEOUT_MS, signal),
  });
  const answer = await response?.json().catch(() => undefined);
  if (!response || answer === undefined) return { kind: "unreachable" };
  if (refusals.includes(response.status)) return { kind: "refused" };
  const parsed = exchangeSchema.safeParse(answer);
  if (!response.ok || !parsed.success) return { kind: "unreachable" };
  const { token, project_id } = parsed.data;
  return { kind: "accepted", token, projectId: project_id };
}

/** What AgentOps says, in JSON, of a key that it does not take. Anything else is not AgentOps', or came at a bad time. */
const refusals = [400, 401, 403, 422];

interface Sending {
  readonly entry: Entry;
  readonly token: string;
  readonly signal: AbortSignal;
}

async function send(
  post: Post,
  url: string,
  { entry: { headers, body }, token, signal }: Sending,
): Promise<Delivery | "unauthorized"> {
  const response = await post(url, {
    headers: { ...headers, authorization: `Bearer ${token}` },
    body: new Uint8Array(body),
    signal: within(DELIVERY_TIMEOUT_MS, signal),
  });
  await response?.body?.cancel();
  if (!response || isTemporary(response.status)) return "later";
  if (response.status === 401 || response.status === 403) return "unauthorized";
  return response.ok ? "sent" : "never";
}

function within(timeoutMs: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs);
  return signal ? AbortSignal.any([timeout, signal]) : timeout;
}

const exchangeSchema = z.object({ token: z.string().min(1), project_id: z.uuid().toLowerCase() });

/** Statuses that say nothing of what was sent: it came at a bad time, or to a place where no AgentOps is. */
function isTemporary(status: number): boolean {
  return status >= 500 || [404, 405, 408, 429].includes(status);
}
