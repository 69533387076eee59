import * as z from "zod";
import { aggregateMetrics, type MetricsRow } from "../trace/metrics.js";
import { buildTree } from "../trace/tree.js";
import { renderAnswer } from "./answer.js";
import { defineTool } from "./define-tool.js";
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
import { type Coverage, coverageText, readTraces } from "./read-traces.js";
import { excerpt } from "./recorded-text.js";
import { formatCount, formatDuration, formatShare, formatUsd, plural, tableLines } from "./text.js";

const GROUPS = ["all", "model", "agent", "tool", "span_name", "status", "day"] as const;

interface Metrics {
  readonly rows: readonly MetricsRow[];
  readonly coverage: Coverage;
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
    const { parts, coverage } = await readTraces(args, buildTree, context);
    return { rows: aggregateMetrics(parts, args.group_by), coverage };
  },

  format({ rows, coverage }, { group_by, max_tokens }) {
    const unpriced = rows.reduce((sum, { unpricedCount }) => sum + unpricedCount, 0);
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
        head: [coverageText(coverage), `${counted[group_by]}:`, header],
        sections: [{ lines, rest: () => "the same call with a larger max_tokens" }],
        foot: notPriced,
      },
      max_tokens,
    );
  },
});

const MAX_KEY_CHARS = 80;

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
  const { tokens, costUsd } = usage;
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
    costUsd === undefined ? "?" : formatUsd(costUsd),
  ];
}
