import * as z from "zod";
import { sleep } from "../api/call.js";
import type { TraceRow } from "../api/client.js";
import { ApiError } from "../api/errors.js";
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

interface Arrived {
  readonly traceId: string;
  readonly name: string;
  readonly startUnixMs: number;
  readonly spanCount: number | undefined;
  /** Its number of spans did not change from one look to the next, a whole pause later. */
  readonly isSettled: boolean;
}

interface Waited {
  readonly arrived: Arrived | undefined;
  readonly waitedMs: number;
}

export const waitForTrace = defineTool({
  name: "wait_for_trace",
  title: "Wait for trace",
  description:
    "Waits until a run has arrived and its spans have stopped coming: the newest one since a time (default: a minute ago), by tag or name, or one by id. Use it after starting an agent, then trace_detail.",
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
    let before: Arrived | undefined;
    let pauseMs = 0;

    for (;;) {
      const found = await look();
      const isSettled = found !== undefined && isSame(found, before) && pauseMs === POLL_MS;
      const waitedMs = context.now() - startedAtMs;
      const arrived = found && { ...found, isSettled };
      if (isSettled || waitedMs >= timeoutMs) return { arrived, waitedMs };

      before = found;
      pauseMs = Math.min(POLL_MS, timeoutMs - waitedMs);
      context.reportProgress({
        done: waitedMs,
        total: timeoutMs,
        message: "Waiting for the trace",
      });
      await sleep(pauseMs, context.signal);
    }
  },

  format({ arrived, waitedMs }) {
    const waited = `after ${formatDuration(waitedMs)}`;
    if (arrived === undefined) return `No trace arrived ${waited}.\n${NOT_ARRIVED}`;
    const id = safeId(arrived.traceId);
    const spans = arrived.spanCount === undefined ? "" : `, ${plural(arrived.spanCount, "span")}`;
    const state = arrived.isSettled ? "arrived" : "is arriving, more spans may come";
    return renderAnswer(
      {
        head: [
          `Trace ${id} ${state} ${waited}: started ${formatTime(arrived.startUnixMs)}${spans}.`,
        ],
        sections: [{ lines: [excerpt(arrived.name, 200)], rest: () => "" }],
        foot: [`Next: ${callText("trace_detail", { trace_id: id })}`],
      },
      ROOM,
    );
  },
});

const ROOM = 500;

const NOT_ARRIVED =
  "Check that the program has ended or flushed its spans, and that it uses this project's key and endpoint; then wait again.";

type Args = z.output<typeof waitForTrace.input>;

function createLook(args: Args, context: ToolContext): () => Promise<Arrived | undefined> {
  const { client, signal } = context;
  if (args.trace_id === undefined) {
    const sinceUnixMs = args.since
      ? unixMsOf(args.since, context.now())
      : context.now() - DEFAULT_SINCE_MS;
    const wanted = { limit: 1, sinceUnixMs, text: args.query, tags: args.tags };
    return async () => {
      const { rows } = await findTraces(client, wanted, signal);
      return rows[0] && fromRow(rows[0]);
    };
  }
  const text = args.trace_id;
  return async () => {
    try {
      const fullId = await resolveTraceId(text, context, "trace_id");
      const { traceId: id, spans } = await client.getTrace(fullId, signal);
      const [first] = spans;
      return {
        traceId: id,
        name: first?.name ?? "",
        startUnixMs: first?.startUnixMs ?? 0,
        spanCount: spans.length,
        isSettled: false,
      };
    } catch (error) {
      if (error instanceof ApiError && error.code === "not_found") return undefined;
      throw error;
    }
  };
}

function fromRow({ traceId: id, rootSpanName, startUnixMs, spanCount }: TraceRow): Arrived {
  return { traceId: id, name: rootSpanName, startUnixMs, spanCount, isSettled: false };
}

function isSame(a: Arrived, b: Arrived | undefined): boolean {
  return a.traceId === b?.traceId && a.spanCount === b.spanCount;
}
