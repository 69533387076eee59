import * as z from "zod";
import type { TraceRow } from "../api/client.js";
import { type Answer, callArgs, DEFAULT_MAX_TOKENS, renderAnswer, shownCounts } from "./answer.js";
import { defineTool } from "./define-tool.js";
import { amount, cursor, query, since, tags, until, windowOf } from "./fields.js";
import { type FoundTraces, findTraces, TRACE_SORTS } from "./find-traces.js";
import { listCoverage } from "./list-coverage.js";
import { type Nothing, nothingText, readNothing } from "./nothing-found.js";
import { excerpt } from "./recorded-text.js";
import { safeId } from "./span-ids.js";
import { costText } from "./span-line.js";
import { formatCount, formatDuration, formatTime, tableLines } from "./text.js";

interface Found {
  readonly found: FoundTraces;
  /** Why there are no rows; undefined where there are. */
  readonly nothing: Nothing | undefined;
}

type List = { readonly view: "raw"; readonly body: string } | ({ readonly view: "found" } & Found);

const DEFAULT_LIMIT = 5;

export const listTraces = defineTool({
  name: "list_traces",
  title: "List traces",
  description:
    "Lists the most recent traces, newest first: trace id, span count, start and end time, and the total; with a filter or view table, a table of those that match. Use trace_detail for one of them.",
  answersRaw: true,
  input: z.strictObject({
    limit: z.int().min(1).max(100).default(DEFAULT_LIMIT).describe("Traces to return."),
    since,
    until,
    query,
    tags,
    errors_only: z.boolean().optional().describe("Has failed spans."),
    min_duration_ms: amount,
    min_cost_usd: amount,
    sort: z.enum(TRACE_SORTS).optional(),
    cursor,
    view: z
      .enum(["raw", "table"])
      .optional()
      .describe("Default: raw JSON, and table once anything but limit is given."),
  }),

  async run(args, context): Promise<List> {
    const { client, signal, now } = context;
    const { limit, view, ...filters } = args;
    const isFiltered = Object.values(filters).some((value) => value !== undefined);
    if (!isFiltered && view !== "table") {
      return { view: "raw", body: (await client.listTraces({ limit }, signal)).body };
    }
    const found = await findTraces(
      client,
      {
        limit,
        ...windowOf(args, now()),
        text: args.query,
        tags: args.tags,
        errorsOnly: args.errors_only,
        minDurationMs: args.min_duration_ms,
        minCostUsd: args.min_cost_usd,
        sort: args.sort ?? "newest",
        offset: args.cursor,
      },
      signal,
    );
    const nothing = found.rows.length === 0 ? await readNothing(found, context) : undefined;
    return { view: "found", found, nothing };
  },

  format(list, { view }) {
    if (list.view === "raw") return list.body;
    return view === "raw" ? foundJson(list) : foundTable(list);
  },
});

/** The rows as the server sent them, and where to go on. */
function foundJson({ found, nothing }: Found): string {
  return JSON.stringify({
    traces: found.rows.map(({ wire }) => wire),
    coverage: coverageOf({ found, nothing }),
    next_cursor: found.nextOffset === undefined ? null : String(found.nextOffset),
  });
}

/** A table of as many rows as fit: what was cut off is the next page. */
function foundTable({ found, nothing }: Found): string {
  const [count] = shownCounts(tableAnswer({ found, nothing }), DEFAULT_MAX_TOKENS);
  const rows = found.rows.slice(0, count);
  const nextOffset = rows.length < found.rows.length ? rows.at(-1)?.next : found.nextOffset;
  return renderAnswer(
    tableAnswer({ found: { ...found, rows, nextOffset }, nothing }),
    DEFAULT_MAX_TOKENS,
  );
}

function tableAnswer({ found, nothing }: Found): Answer {
  const { rows, nextOffset } = found;
  const [header = "", ...lines] = tableLines(COLUMNS, rows.map(cells));
  const nextCall = `the same call with ${callArgs({ cursor: String(nextOffset) })}`;
  return {
    head: [coverageOf({ found, nothing }), ...(rows.length === 0 ? [] : [header])],
    sections: [{ lines, rest: () => nextCall }],
    foot: nextOffset === undefined ? [] : [`Further: ${nextCall}`],
  };
}

function coverageOf({ found, nothing }: Found): string {
  return nothing === undefined ? listCoverage(found) : nothingText(nothing);
}

const COLUMNS = ["trace_id", "started", "duration", "spans", "errors", "cost", "name", "tags"];
const MAX_NAME_CHARS = 60;

function cells(row: TraceRow): readonly string[] {
  const { durationMs, spanCount, errorCount } = row;
  return [
    safeId(row.traceId),
    formatTime(row.startUnixMs),
    durationMs === undefined ? "?" : formatDuration(durationMs),
    spanCount === undefined ? "?" : formatCount(spanCount),
    errorCount === undefined ? "?" : formatCount(errorCount),
    costText(row),
    excerpt(row.rootSpanName, MAX_NAME_CHARS),
    excerpt(row.tags.join(", "), MAX_NAME_CHARS),
  ];
}
