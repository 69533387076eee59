import type { Database, StagedSpans } from "./database.js";
import { type EncodedSpan, type SpanIdentity, spanKey } from "./row-binary.js";

/** Adds spans to the database. One call at a time. */
export interface SpanLog {
  /** Resolves once the spans that were not there yet are on disk, in the summary and in the lookup. */
  append(spans: readonly EncodedSpan[]): Promise<void>;
}

/**
 * A span counts once, however often and in whatever company it is sent: before a batch goes in, each
 * of its ids is looked up on disk, so the answer is the same after a restart. In the embedded engine
 * there is no race between lookup and insert: it lets one process open its folder, and that process
 * appends one batch at a time. Of processes that share a server see docs/decisions/0008.
 * Everything derived on insert (the summary's sums above all) sees a span once too.
 */
export async function openSpanLog(database: Database): Promise<SpanLog> {
  const intake = await database.openIntake();

  /** Staged while they are looked up, and again if some are stored: that is rare, and the engine waits meanwhile. */
  async function stageNew(spans: readonly EncodedSpan[]): Promise<StagedSpans | undefined> {
    const [staging, lookup] = await Promise.allSettled([
      intake.stage(spans),
      storedKeys(database, spans),
    ]);
    if (staging.status === "rejected") throw staging.reason;
    const staged = staging.value;
    if (lookup.status === "rejected") {
      await staged.discard();
      throw lookup.reason;
    }

    const fresh = otherThan(lookup.value, spans);
    if (fresh.length === spans.length) return staged;
    await staged.discard();
    return fresh.length === 0 ? undefined : await intake.stage(fresh);
  }

  return {
    async append(spans) {
      const staged = await stageNew(eachOnce(spans));
      await staged?.insert();
    },
  };
}

function eachOnce(spans: readonly EncodedSpan[]): readonly EncodedSpan[] {
  const keys = new Set(spans.map(spanKey));
  if (keys.size === spans.length) return spans;
  return spans.filter((span) => keys.delete(spanKey(span)));
}

function otherThan(keys: readonly string[], spans: readonly EncodedSpan[]): readonly EncodedSpan[] {
  if (keys.length === 0) return spans;
  const known = new Set(keys);
  return spans.filter((span) => !known.has(spanKey(span)));
}

/**
 * By start time, which a span keeps however often it is sent: the table is ordered by it, so this reads
 * what lies near these spans. Ids are random, and looking them up reads more the more there is.
 */
async function storedKeys(database: Database, spans: readonly EncodedSpan[]): Promise<string[]> {
  const rows = await database.read<SpanIdentity>(
    `SELECT project_id AS projectId, TraceId AS traceId, SpanId AS spanId FROM otel_traces
    WHERE project_id IN {projectIds:Array(String)}
      AND Timestamp IN (SELECT fromUnixTimestamp64Nano(arrayJoin({starts:Array(Int64)})))`,
    {
      projectIds: [...new Set(spans.map(({ projectId }) => projectId))],
      starts: spans.map(({ startUnixNano }) => startUnixNano),
    },
  );
  return rows.map(spanKey);
}
