import * as z from "zod";
import { agentopsKinds } from "../trace/agentops-kind.js";
import type { SpanFilter } from "../trace/find.js";
import { type Answer, callText, renderAnswer, shownCounts } from "./answer.js";
import { defineTool, type ToolContext } from "./define-tool.js";
import {
  amount,
  maxTokens,
  maxTraces,
  query,
  searchText,
  since,
  traceId,
  until,
} from "./fields.js";
import {
  type Coverage,
  coverageText,
  isWhole,
  readSelected,
  type Selected,
  selectedIds,
  selectTraces,
} from "./read-traces.js";
import { safeId } from "./span-ids.js";
import { matchesIn, type TraceMatches } from "./span-matches.js";
import { formatCount, plural } from "./text.js";
import { resolveTraceId } from "./trace-ids.js";
import { searchedText, type TracesWithMatch, tracesWithMatch } from "./traces-with-match.js";

/** Most spans that one call shows. */
const MAX_LIMIT = 200;

interface Found {
  readonly traces: readonly TraceMatches[];
  readonly coverage: Coverage;
  /** Where the database chose the traces. */
  readonly choice: TracesWithMatch | undefined;
}

export const searchSpans = defineTool({
  name: "search_spans",
  title: "Search spans",
  description:
    "Finds spans by text in anything they hold and by kind, name, model, tool, status, duration, cost or attribute, in one trace or across recent ones. Use get_spans for what a match holds, list_traces to find whole runs.",
  input: z.strictObject({
    text: searchText
      .optional()
      .describe("In names, errors, prompts, arguments, results; any case."),
    trace_id: traceId.optional(),
    kind: z.enum(agentopsKinds).exclude(["unknown"]).optional(),
    name: searchText.optional().describe("Part of the span's name."),
    model: searchText.optional().describe("Part of its name."),
    tool: searchText.optional().describe("Its whole name."),
    agent: searchText.optional().describe("Its whole name."),
    status: z.enum(["ok", "error", "unset"]).optional(),
    min_duration_ms: amount,
    min_cost_usd: amount,
    attribute: searchText
      .refine((text) => !text.startsWith("="), "Give a key, or key=text")
      .optional()
      .describe("key, or key=text that its value contains."),
    since,
    until,
    query,
    max_traces: maxTraces,
    limit: z.int().min(1).max(MAX_LIMIT).default(20).describe("Most spans shown."),
    max_tokens: maxTokens,
  }),

  async run(args, context): Promise<Found> {
    const { limit, text } = args;
    const filter = filterOf(args);
    const isNamed = args.trace_id !== undefined;
    const choice = isNamed ? undefined : await tracesWithMatch({ ...args, filter, text }, context);
    const { parts, coverage } = await readSelected(
      await tracesToRead(args, choice, context),
      (trace) => matchesIn(trace, { filter, text, limit }),
      context,
    );
    const { sinceUnixMs = 0 } = choice ?? {};
    const traces = parts
      .filter(({ matchCount, startUnixMs }) => matchCount > 0 && startUnixMs >= sinceUnixMs)
      .toSorted((a, b) => b.startUnixMs - a.startUnixMs);
    return { traces, coverage, choice };
  },

  format(found, { limit, max_tokens, trace_id }) {
    const lines = matchLines(found.traces, limit);
    const isOneTrace = trace_id !== undefined;
    const answer = (shownLines: readonly string[]): Answer => ({
      head: [headText(found, shownLines.filter(isMatchLine).length)],
      sections: [{ lines: shownLines, total: lines.length, rest: () => narrower }],
      foot: cutText(found.traces, limit, isOneTrace),
    });
    const [shown = 0] = shownCounts(answer(lines), max_tokens);
    return renderAnswer(answer(lines.slice(0, shown)), max_tokens);
  },
});

/** Those named, else those that the database found, else the newest. */
async function tracesToRead(
  args: Args,
  choice: TracesWithMatch | undefined,
  context: ToolContext,
): Promise<Selected> {
  if (args.trace_id !== undefined) {
    return selectedIds([await resolveTraceId(args.trace_id, context, "trace_id")]);
  }
  if (choice === undefined) return selectTraces(args, context);
  if (choice.traceIds.length > 0) return selectedIds(choice.traceIds);
  // Nothing is left to read: the list tells what the database searched.
  return { ...(await selectTraces({ ...args, max_traces: 1 }, context)), traceIds: [] };
}

/** How many spans matched and are shown, and what was searched for them. */
function headText({ traces, coverage, choice }: Found, shownCount: number): string {
  const matchCount = traces.reduce((sum, trace) => sum + trace.matchCount, 0);
  const matched = `${plural(matchCount, "span")} in ${plural(traces.length, "trace")} match, ${formatCount(shownCount)} shown.`;
  if (coverage.nothing !== undefined) return `${matched} ${coverageText(coverage)}`;
  // Where the database found any, those alone were meant.
  const searchedCount = choice?.traceIds.length === 0 ? coverage.meantCount : undefined;
  const searched = choice && searchedText(choice, searchedCount);
  const read = choice && isWhole(coverage) ? undefined : coverageText(coverage);
  return [matched, searched, read].filter(Boolean).join(" ");
}

const MATCH_INDENT = "  ";

function isMatchLine(line: string): boolean {
  return line.startsWith(MATCH_INDENT);
}

function matchLines(traces: readonly TraceMatches[], limit: number): readonly string[] {
  const shares = sharesOf(traces, limit);
  return traces.flatMap(({ traceId: id, rootName, lines, matchCount }, index) => {
    const shown = lines.slice(0, shares[index]).map((line) => MATCH_INDENT + line);
    return shown.length === 0 ? [] : [`trace ${safeId(id)} ${rootName}: ${matchCount}`, ...shown];
  });
}

/** How many matches of each trace are shown: one of each in turn, until there are `limit`. */
function sharesOf(traces: readonly TraceMatches[], limit: number): readonly number[] {
  const inTurn = traces
    .flatMap(({ lines }, index) => lines.map((_, turn) => ({ index, turn })))
    .toSorted((a, b) => a.turn - b.turn)
    .slice(0, limit);
  return traces.map((_, trace) => inTurn.filter(({ index }) => index === trace).length);
}

type Args = z.output<typeof searchSpans.input>;

function filterOf(args: Args): SpanFilter {
  const [key = "", ...value] = args.attribute?.split("=") ?? [];
  const contains = value.length === 0 ? undefined : value.join("=").trim();
  return {
    agentopsKind: args.kind,
    name: args.name,
    model: args.model,
    tool: args.tool,
    agent: args.agent,
    status: args.status,
    minDurationMs: args.min_duration_ms,
    minCostUsd: args.min_cost_usd,
    attributes: key === "" ? [] : [{ key: key.trim(), contains }],
  };
}

const narrower = "the same call with a larger max_tokens, or with another filter";

/** How to see the matches that `limit` leaves out. */
function cutText(
  traces: readonly TraceMatches[],
  limit: number,
  isOneTrace: boolean,
): readonly string[] {
  const matchCount = traces.reduce((sum, trace) => sum + trace.matchCount, 0);
  if (matchCount <= limit) return [];
  const largerText =
    limit < MAX_LIMIT ? `a limit of ${Math.min(MAX_LIMIT, limit * 4)}, or with ` : "";
  const more = `More of them: the same call with ${largerText}another filter.`;
  const [cut] = traces.filter(
    (trace, index) => trace.matchCount > (sharesOf(traces, limit)[index] ?? 0),
  );
  if (cut === undefined || isOneTrace) return [more];
  const call = callText("search_spans", { trace_id: safeId(cut.traceId) });
  return [more, `All of one trace: ${call} with the same filters.`];
}
