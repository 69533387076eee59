import type { AgentOpsClient } from "./client.js";
import { createClient } from "./create-client.js";
import { createDeployments } from "./deployments.js";
import { stopping } from "./errors.js";
import type { Answerer } from "./in-process.js";
import { createTokens } from "./tokens.js";
import { createTraceCache } from "./trace-cache.js";
import { createTransport } from "./transport.js";
import { parseUrl } from "./url-policy.js";

/** What bounds the reads of this process. Times are milliseconds, sizes decoded bytes. */
export interface Limits {
  /** One HTTP request, from the first byte sent to the last byte read. */
  readonly requestTimeoutMs: number;
  /** One tool call: everything a client does from the moment it is made. */
  readonly callDeadlineMs: number;
  readonly maxResponseBytes: number;
  readonly maxInFlightPerOrigin: number;
}

export interface AgentOpsOptions {
  readonly userAgent: string;
  readonly limits?: Partial<Limits>;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
  /** Trace ids that this machine knows, newest first: what listing falls back on. Stdio only. */
  readonly knownTraceIds?: () => Promise<readonly string[]>;
  /** Answers all requests within the process instead of sending them: how agentops-local reads itself. */
  readonly answer?: Answerer;
  /** Refuses to connect to private and loopback addresses, except at these base URLs. */
  readonly publicAddressesOnly?: { readonly exceptBaseUrls: readonly string[] };
}

/** Where a call reads from, and as whom: what `resolveTarget` allowed. */
export interface Target {
  /** Normalised: no trailing slash, no credentials, no query. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** The dashboard's `session_id` cookie, where one is configured for this very URL. */
  readonly sessionCookie?: string | undefined;
  /** The distributed trace that the call is part of: sent along with every request made for it. */
  readonly traceContext?: TraceContext | undefined;
}

/** W3C Trace Context: the two headers as they go out. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** The shared half of every read: sockets, tokens, what is known of each deployment. One per process. */
export interface AgentOps {
  /** Cheap. A client is made for one tool call: its deadline runs from here. */
  client(target: Target): AgentOpsClient;
  /** Ends every call under way with an error, forgets every token and trace, closes every connection. */
  close(): void;
}

export const defaultLimits: Limits = {
  requestTimeoutMs: 30_000,
  // Hosts give up on a tool call after 60 s: what we know by then is worth more than their timeout.
  callDeadlineMs: 50_000,
  maxResponseBytes: 256 * 1024 * 1024,
  // Reads 200 spans in three round trips.
  maxInFlightPerOrigin: 72,
};

export function openAgentOps(options: AgentOpsOptions): AgentOps {
  const { now = Date.now, publicAddressesOnly, knownTraceIds = async () => [] } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const privateOrigins = publicAddressesOnly?.exceptBaseUrls.map((url) => parseUrl(url).origin);

  const transport = createTransport({
    ...limits,
    userAgent: options.userAgent,
    mayBePrivate: (origin) => privateOrigins?.includes(origin) ?? true,
    now,
    answer: options.answer,
  });
  const tokens = createTokens({ transport, now });
  const deployments = createDeployments(now);
  const traces = createTraceCache(now);
  const closing = new AbortController();
  const closed = closing.signal;
  const parts = { transport, tokens, deployments, traces, limits, now, knownTraceIds, closed };

  return {
    client: (target) => createClient(target, parts),
    close() {
      closing.abort(stopping());
      for (const memory of [tokens, deployments, traces]) memory.clear();
      transport.close();
    },
  };
}
