import * as z from "zod";
import type { AgentopsKind } from "../trace/agentops-kind.js";
import { createTextFinder, matchesFilter, type SpanFilter, type TextMatch } from "../trace/find.js";
import type { Span, Trace } from "../trace/trace.js";
import { buildTree, type SpanNode, type SpanTree } from "../trace/tree.js";
import { callText, renderAnswer } from "./answer.js";
import { defineTool } from "./define-tool.js";
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
import { grepPayload, payloadsOf } from "./payload.js";
import {
  type Coverage,
  coverageText,
  readSelected,
  selectedIds,
  selectTraces,
} from "./read-traces.js";
import { excerpt } from "./recorded-text.js";
import { safeId, shortSpanIds } from "./span-ids.js";
import { spanLine } from "./span-line.js";
import { plural } from "./text.js";
import { resolveTraceId } from "./trace-ids.js";
import { searchedText, tracesWithMatch } from "./traces-with-match.js";

const KINDS = [
  "session",
  "workflow",
  "agent",
  "task",
  "chain",
  "llm",
  "tool",
  "handoff",
  "guardrail",
  "http",
] as const satisfies readonly AgentopsKind[];

interface TraceMatches {
  readonly traceId: string;
  readonly startUnixMs: number;
  readonly rootName: string;
  readonly matchCount: number;
  /** The first matches, as clean lines. */
  readonly lines: readonly string[];
}

interface Found {
  readonly traces: readonly TraceMatches[];
  readonly coverage: Coverage;
  /** What the database looked through, where it chose the traces. */
  readonly searched: string | undefined;
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
    kind: z.enum(KINDS).optional(),
    name: searchText.optional(),
    model: searchText.optional(),
    tool: searchText.optional(),
    agent: searchText.optional(),
    status: z.enum(["ok", "error", "unset"]).optional(),
    min_duration_ms: amount,
    min_cost_usd: amount,
    attribute: searchText.optional().describe("key, or key=text that its value contains."),
    since,
    until,
    query,
    max_traces: maxTraces,
    limit: z.int().min(1).max(200).default(20),
    max_tokens: maxTokens,
  }),

  async run(args, context): Promise<Found> {
    const { trace_id, limit, text } = args;
    const filter = filterOf(args);
    const named =
      trace_id === undefined ? undefined : [await resolveTraceId(trace_id, context, "trace_id")];
    const found = named ? undefined : await tracesWithMatch({ ...args, filter, text }, context);
    const chosen = named ?? found?.traceIds;
    const { parts, coverage } = await readSelected(
      chosen ? selectedIds(chosen) : await selectTraces(args, context),
      (trace) => matchesIn(trace, { filter, text, limit }),
      context,
    );
    const { sinceUnixMs = 0 } = found ?? {};
    const traces = parts
      .filter(({ matchCount, startUnixMs }) => matchCount > 0 && startUnixMs >= sinceUnixMs)
      .toSorted((a, b) => b.startUnixMs - a.startUnixMs);
    return { traces, coverage, searched: found && searchedText(found) };
  },

  format({ traces, coverage, searched }, { limit, max_tokens, trace_id }) {
    const matchCount = traces.reduce((sum, trace) => sum + trace.matchCount, 0);
    const perTrace = Math.max(1, Math.ceil(limit / Math.max(1, traces.length)));
    const matched = `${plural(matchCount, "span")} in ${plural(traces.length, "trace")} match.`;
    const head = [matched, searched, coverageText(coverage)].filter(Boolean).join(" ");
    const lines = traces.flatMap(({ traceId: id, rootName, lines: matches, matchCount: count }) => [
      `trace ${safeId(id)} ${rootName}: ${count}`,
      ...matches.slice(0, perTrace).map((line) => `  ${line}`),
    ]);
    const cutTrace = traces.find(
      ({ lines: shown, matchCount: count }) => count > Math.min(perTrace, shown.length),
    );
    return renderAnswer(
      {
        head: [head],
        sections: [{ lines, rest: () => narrower }],
        foot: cutTrace === undefined ? [] : [restOf(cutTrace, limit, trace_id !== undefined)],
      },
      max_tokens,
    );
  },
});

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

function restOf({ traceId: id }: TraceMatches, limit: number, isOneTrace: boolean): string {
  return isOneTrace
    ? `More of them: the same call with a limit of ${Math.min(200, limit * 4)}, or with another filter.`
    : `All of one trace: ${callText("search_spans", { trace_id: safeId(id) })} with the same filters.`;
}

interface Search {
  readonly filter: SpanFilter;
  readonly text: string | undefined;
  readonly limit: number;
}

function matchesIn(trace: Trace, { filter, text, limit }: Search): TraceMatches {
  const tree = buildTree(trace);
  const idOf = shortSpanIds(trace);
  const find = text === undefined ? undefined : createTextFinder(text);
  let matchCount = 0;
  const lines: string[] = [];
  for (const node of tree.nodes) {
    if (!matchesFilter(node, filter)) continue;
    const [match] = find?.(node.span) ?? [];
    if (find !== undefined && match === undefined) continue;
    matchCount += 1;
    if (lines.length < limit) lines.push(matchLine(node, idOf(node.span.spanId), match));
  }
  return {
    traceId: trace.traceId,
    startUnixMs: trace.spans[0]?.startUnixMs ?? 0,
    rootName: excerpt(rootNameOf(tree), MAX_ROOT_NAME_CHARS),
    matchCount,
    lines,
  };
}

const MAX_ROOT_NAME_CHARS = 60;

function rootNameOf({ roots }: SpanTree): string {
  return roots[0]?.span.name ?? "";
}

const MAX_FIELD_CHARS = 60;
const isOnTheLine: ReadonlySet<string> = new Set(["name", "status_message"]);

/** The span, and where the text first occurs in it. */
function matchLine(node: SpanNode, id: string, match: TextMatch | undefined): string {
  const line = spanLine(node, id);
  if (match === undefined || isOnTheLine.has(match.field)) return line;
  return `${line} ${excerpt(match.field, MAX_FIELD_CHARS)}: ${snippetOf(node.span, match)}`;
}

/** Cut out of the clean text: a snippet of the recorded one may begin in the middle of a key. */
function snippetOf(span: Span, match: TextMatch): string {
  const payload = payloadsOf(span).find(({ path }) => path === match.field);
  const wanted = match.snippet.slice(match.snippetOffset, match.snippetOffset + match.length);
  const [found] = payload === undefined ? [] : grepPayload(payload, wanted);
  return found ?? "";
}
