import * as z from "zod";
import { sleep } from "../api/call.js";
import { ApiError } from "../api/errors.js";
import { summarizeTrace } from "../trace/summary.js";
import type { Trace } from "../trace/trace.js";
import { buildTree, orphansOf, type SpanTree } from "../trace/tree.js";
import { callText, renderAnswer } from "./answer.js";
import { defineTool, type ToolContext } from "./define-tool.js";
import { query, since, tags, traceId, unixMsOf } from "./fields.js";
import { findTraces } from "./find-traces.js";
import { excerpt } from "./recorded-text.js";
import { safeId } from "./span-ids.js";
import { formatDuration, formatTime, plural } from "./text.js";
import { resolveTraceId } from "./trace-ids.js";

/** Hosts give up on a call after 60 s, and the client's own deadline is shorter. */
const MAX_WAIT_S = 45;
const DEFAULT_WAIT_S = 30;

/** A run that started up to this long before the call is the one that is waited for. */
const DEFAULT_SINCE_MS = 60_000;

/** Exporters hold spans for a second and the hosted collector for five. */
const POLL_MS = 2_000;

/** What one look found. */
interface Seen {
  readonly traceId: string;
  readonly spanCount: number | undefined;
  /** Undefined where only a list was looked at. */
  readonly trace: Trace | undefined;
}

interface Waited {
  readonly trace: Trace | undefined;
  /** Nothing is missing, and its number of spans did not change from one look to the next. */
  readonly isWhole: boolean;
  /** The first look found as much as the last. */
  readonly wasThere: boolean;
  readonly waitedMs: number;
}

export const waitForTrace = defineTool({
  name: "wait_for_trace",
  title: "Wait for trace",
  description:
    "Waits until a run has arrived whole, with its root span and all parents: the newest one since a time (default: a minute ago), by tag or name, or one by id. Use it after starting an agent, then trace_detail, or diagnose_trace if it failed.",
  input: z.strictObject({
    trace_id: traceId.optional(),
    since,
    query,
    tags,
    timeout_s: z.number().min(1).max(MAX_WAIT_S).default(DEFAULT_WAIT_S),
  }),

  async run(args, context): Promise<Waited> {
    const startedAtMs = context.now();
    const look = createLook(args, context);
    const timeoutMs = args.timeout_s * 1000;
    const first = await look();
    let found = first;
    let isQuiet = false;

    for (;;) {
      const waitedMs = context.now() - startedAtMs;
      const isTimeOver = waitedMs >= timeoutMs;
      // To read a trace may take a request for each span, so it waits until its spans have stopped coming.
      const trace = found && (isQuiet || isTimeOver) ? await readSeen(found, context) : undefined;
      const isWhole = isQuiet && trace !== undefined && missingFrom(buildTree(trace)) === undefined;
      if (isWhole || isTimeOver) {
        return { trace, isWhole, wasThere: isSame(found, first), waitedMs };
      }
      const pauseMs = Math.min(POLL_MS, timeoutMs - waitedMs);
      context.reportProgress({
        done: waitedMs,
        total: timeoutMs,
        message: "Waiting for the trace",
      });
      await sleep(pauseMs, context.signal);
      const before = found;
      found = await look();
      isQuiet = isSame(found, before) && pauseMs === POLL_MS;
    }
  },

  format({ trace, isWhole, wasThere, waitedMs }) {
    const waited = `after ${formatDuration(waitedMs)}`;
    if (trace === undefined) return `No trace arrived ${waited}.\n${NOT_ARRIVED}`;
    const tree = buildTree(trace);
    const { status, startUnixMs, spanCount, root } = summarizeTrace(tree);
    const id = safeId(trace.traceId);
    const arrived = wasThere ? "was already there" : `arrived ${waited}`;
    const state = isWhole ? arrived : `may not be whole ${waited}`;
    const facts = `${status}, started ${formatTime(startUnixMs)}, ${plural(spanCount, "span")}`;
    const call = (tool: string) => callText(tool, { trace_id: id });
    const next = status === "failed" ? call("diagnose_trace") : call("trace_detail");
    const wait = [
      `${missingFrom(tree) ?? "More spans may come"}.`,
      `Next: ${call("wait_for_trace")} to wait on, or ${next} for what is here.`,
    ];
    return renderAnswer(
      {
        head: [`Trace ${id} ${state}: ${facts}.`],
        sections: [{ lines: [excerpt(root?.span.name ?? "", 200)], rest: () => "" }],
        foot: isWhole ? [`Next: ${next}`] : wait,
      },
      ROOM,
    );
  },
});

/** What a run that has ended would have: SDKs send a span when it ends, so parents come after their children. */
function missingFrom(tree: SpanTree): string | undefined {
  if (!tree.roots.some(({ link }) => link === "root")) {
    return "Its root span is not here: the run goes on, or was cut off";
  }
  const orphanCount = orphansOf(tree).length;
  if (orphanCount === 0) return undefined;
  return `Parents of ${plural(orphanCount, "span")} are not here: the run goes on, or was cut off`;
}

const ROOM = 500;

const NOT_ARRIVED =
  "Check that the program has ended or flushed its spans, and that it uses this project's key and endpoint; then wait again.";

type Args = z.output<typeof waitForTrace.input>;

function createLook(args: Args, context: ToolContext): () => Promise<Seen | undefined> {
  const { client, signal } = context;
  const { trace_id } = args;
  if (trace_id !== undefined) {
    return () =>
      unlessNotFound(async () => {
        const id = await resolveTraceId(trace_id, context, "trace_id");
        const trace = await client.getTrace(id, signal);
        return { traceId: trace.traceId, spanCount: trace.spans.length, trace };
      });
  }
  const sinceUnixMs = args.since
    ? unixMsOf(args.since, context.now())
    : context.now() - DEFAULT_SINCE_MS;
  const wanted = { limit: 1, sinceUnixMs, text: args.query, tags: args.tags };
  return async () => {
    const { rows } = await findTraces(client, wanted, signal);
    const [row] = rows;
    return row && { traceId: row.traceId, spanCount: row.spanCount, trace: undefined };
  };
}

/** A list may name a trace before it can be read. */
async function readSeen(
  { traceId: id, trace }: Seen,
  { client, signal }: ToolContext,
): Promise<Trace | undefined> {
  return trace ?? unlessNotFound(() => client.getTrace(id, signal));
}

async function unlessNotFound<Found>(read: () => Promise<Found>): Promise<Found | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ApiError && error.code === "not_found") return undefined;
    throw error;
  }
}

function isSame(a: Seen | undefined, b: Seen | undefined): boolean {
  return a?.traceId === b?.traceId && a?.spanCount === b?.spanCount;
}
