import * as z from "zod";
import { aggregateMetrics, type MetricsGroup, type MetricsRow } from "../trace/metrics.js";
import { buildTree } from "../trace/tree.js";
import { renderAnswer } from "./answer.js";
import { defineTool, type ToolContext } from "./define-tool.js";
import {
  MAX_TRACES_READ,
  maxTokens,
  maxTraces,
  query,
  since,
  tags,
  traceId,
  until,
} from "./fields.js";
import {
  type Coverage,
  coverageText,
  readSelected,
  type Selected,
  selectTraces,
} from "./read-traces.js";
import { excerpt } from "./recorded-text.js";
import { costText } from "./span-line.js";
import { formatCount, formatDuration, formatShare, plural, tableLines } from "./text.js";

const GROUPS = ["all", "model", "agent", "tool", "span_name", "status", "day"] as const;

interface Metrics {
  readonly rows: readonly MetricsRow[];
  readonly coverage: Coverage;
  readonly isFromDatabase: boolean;
}

export const traceMetrics = defineTool({
  name: "trace_metrics",
  title: "Trace metrics",
  description:
    "Adds up one trace, several, or the recent ones: count, error rate, p50/p95/p99 duration, tokens and cost, by model, agent, tool, span name, status or day. Use diagnose_trace to explain one run.",
  input: z.strictObject({
    trace_ids: z.array(traceId).min(1).max(MAX_TRACES_READ).optional(),
    group_by: z.enum(GROUPS).default("all"),
    since,
    until,
    query,
    tags,
    max_traces: maxTraces,
    max_tokens: maxTokens,
  }),

  async run(args, context): Promise<Metrics> {
    const selected = await selectTraces(args, context);
    const added = await addedUpByDatabase(selected, args.group_by, context);
    if (added !== undefined) return added;

    const { parts, coverage } = await readSelected(selected, buildTree, context);
    const rows = aggregateMetrics(parts, args.group_by);
    return { rows, coverage, isFromDatabase: false };
  },

  format({ rows, coverage, isFromDatabase }, { group_by, max_tokens }) {
    if (coverage.nothing !== undefined) return coverageText(coverage);
    const unpriced = rows.reduce((sum, { usage }) => sum + usage.unpricedCount, 0);
    const [header = "", ...lines] = tableLines(
      [group_by, ...COLUMNS],
      rows.map((row) => [excerpt(row.key ?? "(none)", MAX_KEY_CHARS), ...cells(row)]),
    );
    const notPriced =
      unpriced > 0
        ? [`${plural(unpriced, "model call")} reported tokens but no cost: the sum is too low.`]
        : [];
    return renderAnswer(
      {
        head: [
          coverageText(coverage) + (isFromDatabase ? ADDED_UP : ""),
          `${counted[group_by]}:`,
          header,
        ],
        sections: [{ lines, rest: () => "the same call with a larger max_tokens" }],
        foot: notPriced,
      },
      max_tokens,
    );
  },
});

const MAX_KEY_CHARS = 80;
const ADDED_UP = " Added up in the database.";

/**
 * Figures over listed traces, without reading them; undefined where the database cannot tell what
 * their trees do. Named traces are few, and one that is not there must be reported: those are read.
 */
async function addedUpByDatabase(
  { traceIds, meantCount, sinceUnixMs, nothing }: Selected,
  group: MetricsGroup,
  { client, signal }: ToolContext,
): Promise<Metrics | undefined> {
  if (sinceUnixMs === undefined || traceIds.length === 0 || group === "agent") return undefined;
  const offered = await client.capabilities(signal);
  if (!offered.has("spans.metrics")) return undefined;

  const rows = await client.spanMetrics({ group, traceIds, sinceUnixMs }, signal);
  const coverage = {
    readCount: traceIds.length,
    meantCount,
    missed: [],
    truncatedByPlanCount: 0,
    readInPartCount: 0,
    nothing,
  };
  return rows && { rows, coverage, isFromDatabase: true };
}

/** What a row counts. */
const counted: Readonly<Record<(typeof GROUPS)[number], string>> = {
  all: "Whole traces",
  model: "Model calls",
  agent: "Agent runs, with all that ran for them",
  tool: "Tool calls",
  span_name: "Spans",
  status: "Whole traces",
  day: "Whole traces, UTC",
};

const COLUMNS = [
  "count",
  "errors",
  "p50",
  "p95",
  "p99",
  "max",
  "tok in",
  "tok out",
  "cached",
  "cost",
];

function cells({ count, errorCount, duration, usage }: MetricsRow): readonly string[] {
  const { tokens } = usage;
  return [
    formatCount(count),
    errorCount === 0 ? "0" : `${formatCount(errorCount)} (${formatShare(errorCount, count)})`,
    formatDuration(duration.p50Ms),
    formatDuration(duration.p95Ms),
    formatDuration(duration.p99Ms),
    formatDuration(duration.maxMs),
    formatCount(tokens.input),
    formatCount(tokens.output),
    formatCount(tokens.cacheRead),
    costText(usage),
  ];
}
