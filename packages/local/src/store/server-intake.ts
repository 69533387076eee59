import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { type ClickHouseClient, ClickHouseError } from "@clickhouse/client";
import type { SpanIntake } from "./database.js";
import { type EncodedSpan, insertColumns, rowsOf, spanKey } from "./row-binary.js";
import { insertSettings } from "./schema.js";

/** Waits between the tries of an insert. */
const RETRY_DELAYS_MS = [200, 1_000, 3_000];

/** For all tries of an insert together: the exports in it wait as long, and those behind them too. */
const INSERT_DEADLINE_MS = 30_000;

/** ClickHouse's names of what passes; all else that it refuses, it refuses again. */
const passing: ReadonlySet<string | undefined> = new Set([
  "ABORTED",
  "ALL_CONNECTION_TRIES_FAILED",
  "KEEPER_EXCEPTION",
  "MEMORY_LIMIT_EXCEEDED",
  "NETWORK_ERROR",
  "NO_FREE_CONNECTION",
  "QUERY_WAS_CANCELLED",
  "SOCKET_TIMEOUT",
  "TABLE_IS_READ_ONLY",
  "TIMEOUT_EXCEEDED",
  "TOO_FEW_LIVE_REPLICAS",
  "TOO_MANY_PARTS",
  "TOO_MANY_SIMULTANEOUS_QUERIES",
  "UNKNOWN_STATUS_OF_INSERT",
  "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
]);

/** What is no answer of ClickHouse's comes from the network, or from a proxy. */
function mayPass(error: unknown): boolean {
  return !(error instanceof ClickHouseError) || passing.has(error.type);
}

/**
 * The way into a server: rows travel in the request's body.
 *
 * An insert that fails may have got in, wholly or into some of the tables. So it is repeated, under a
 * token by which each table knows the rows it has and takes those it lacks.
 */
export function createServerIntake(
  client: ClickHouseClient,
  deadlineMs = INSERT_DEADLINE_MS,
): SpanIntake {
  async function insert(spans: readonly EncodedSpan[], deadline: AbortSignal): Promise<void> {
    const { stream } = await client.exec({
      abort_signal: deadline,
      query: `INSERT INTO otel_traces ${insertColumns} FORMAT RowBinary`,
      values: Readable.from(rowsOf(spans)),
      clickhouse_settings: {
        ...insertSettings,
        insert_deduplication_token: tokenOf(spans),
        deduplicate_blocks_in_dependent_materialized_views: 1,
      },
    });
    // The connection is free once its answer, which is empty, is read.
    await stream.toArray();
  }

  return {
    async stage(spans) {
      return {
        async insert() {
          const deadline = AbortSignal.timeout(deadlineMs);
          for (const delayMs of RETRY_DELAYS_MS) {
            try {
              return await insert(spans, deadline);
            } catch (error) {
              if (!mayPass(error)) throw error;
              await setTimeout(delayMs, undefined, { signal: deadline });
            }
          }
          await insert(spans, deadline);
        },
        async discard() {},
      };
    },
  };
}

/** The same for the same spans, whichever process sends them. */
function tokenOf(spans: readonly EncodedSpan[]): string {
  const hash = createHash("sha256");
  for (const key of spans.map(spanKey).sort()) hash.update(key).update("\n");
  return hash.digest("hex");
}
