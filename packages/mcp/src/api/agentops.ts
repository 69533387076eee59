import type { AgentOpsClient } from "./client.js";

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
}

/** The shared half of every read: sockets, tokens, what is known of each deployment. One per process. */
export interface AgentOps {
  /** Cheap. A client is made for one tool call: its deadline runs from here. */
  client(target: Target): AgentOpsClient;
  /** Forgets every token and trace, and closes every connection. */
  close(): void;
}

export declare function openAgentOps(options: AgentOpsOptions): AgentOps;
