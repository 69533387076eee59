import type { ComparedStep, ComparedTrace, TraceComparison } from "../trace/compare.js";
import { firstChangedMessage } from "../trace/compare.js";
import { modelOf } from "../trace/semconv.js";
import { spanInput, spanOutput } from "../trace/span-io.js";
import type { Span } from "../trace/trace.js";
import type { SpanNode } from "../trace/tree.js";
import { knownCostUsd, type Usage } from "../trace/usage.js";
import type { Finding } from "./diagnosis.js";
import { clean, excerpt } from "./recorded-text.js";
import { costText, errorText, spanLine, spanTitle } from "./span-line.js";
import { formatCount, formatDuration, formatShare, formatUsd } from "./text.js";

const reasons: Readonly<Record<TraceComparison["comparability"]["reason"], string>> = {
  alike: "The runs compare",
  empty: "One of the runs is empty",
  different_agents: "The runs have no agent in common: differences mean little",
  different_roots: "The runs begin differently and share few steps: differences mean little",
  few_common_steps: "The runs share few steps: differences mean little",
};

/** Whether the differences mean anything. */
export function verdictLines({ comparability, leftOver }: TraceComparison): readonly string[] {
  const { reason, alignedShare } = comparability;
  const skipped = leftOver.a + leftOver.b;
  return [
    `${reasons[reason]}: ${formatShare(alignedShare, 1)} of all steps have a partner.`,
    ...(skipped > 0 ? [`${formatCount(skipped)} steps were too many to align.`] : []),
  ];
}

/** The figures of both runs and what changed. */
export function deltaLines({ a, b }: TraceComparison): readonly string[] {
  const delta = (
    name: string,
    read: (trace: ComparedTrace) => number,
    write: (value: number) => string,
  ): string => {
    const [before, after] = [read(a), read(b)];
    return `${name} ${write(before)} → ${write(after)}${changeText(before, after)}`;
  };
  const figures = [
    `status ${a.status} → ${b.status}`,
    delta("duration", ({ durationMs }) => durationMs, formatDuration),
    `cost ${costText(a.usage)} → ${costText(b.usage)}${changeText(knownCostUsd(a.usage), knownCostUsd(b.usage))}`,
    delta("tokens in", ({ usage }) => usage.tokens.input, formatCount),
    delta("tokens out", ({ usage }) => usage.tokens.output, formatCount),
    delta("model calls", ({ llmCallCount }) => llmCallCount, formatCount),
    delta("tool calls", ({ toolCallCount }) => toolCallCount, formatCount),
    delta("errors", ({ errorCount }) => errorCount, formatCount),
    delta("spans", ({ spanCount }) => spanCount, formatCount),
  ];
  return [figures.join("; ")];
}

/** ` (+12 %)`; empty where nothing changed or there is nothing to compare with. */
function changeText(before = 0, after = before): string {
  const change = after - before;
  if (before <= 0 || change === 0) return "";
  return ` (${change > 0 ? "+" : "-"}${formatShare(Math.abs(change), before)})`;
}

interface IdsOf {
  readonly a: (spanId: string) => string;
  readonly b: (spanId: string) => string;
}

/** Where the runs part, and everything that differs after that, in order. */
export function comparisonLines(
  { firstDivergence, steps }: TraceComparison,
  idsOf: IdsOf,
): readonly Finding[] {
  const changed = steps.filter(
    (step) => step !== firstDivergence && step.type === "both" && step.changes.length > 0,
  );
  const only = (type: "only_a" | "only_b") =>
    steps.filter((step) => step !== firstDivergence && step.type === type);
  const slower = steps
    .filter((step) => step.type === "both")
    .flatMap((step) => costlierLine(step, idsOf));
  return [
    {
      title: "first difference",
      lines:
        firstDivergence === undefined
          ? ["none: every step is in both, unchanged"]
          : stepLines(firstDivergence, idsOf),
    },
    { title: "changed steps", lines: changed.flatMap((step) => stepLines(step, idsOf)) },
    { title: "steps only in a", lines: only("only_a").flatMap((step) => stepLines(step, idsOf)) },
    { title: "steps only in b", lines: only("only_b").flatMap((step) => stepLines(step, idsOf)) },
    {
      title: "largest differences in time and cost",
      lines: slower
        .sort((x, y) => y.weight - x.weight)
        .slice(0, MAX_COSTLIER)
        .map(({ line }) => line),
    },
  ];
}

const MAX_COSTLIER = 5;

function stepLines(step: ComparedStep, idsOf: IdsOf): readonly string[] {
  if (step.type === "only_a") return [`only in a: ${lineOf(step.a, idsOf.a)}`];
  if (step.type === "only_b") return [`only in b: ${lineOf(step.b, idsOf.b)}`];
  const { a, b, changes } = step;
  const ids = `a [${idsOf.a(a.span.spanId)}] b [${idsOf.b(b.span.spanId)}]`;
  return [
    `${spanTitle(b)} ${ids}: ${changes.join(", ")} changed`,
    ...changes.flatMap((change) => changeLines(change, a.span, b.span)),
  ];
}

function lineOf(node: SpanNode, idOf: (spanId: string) => string): string {
  return spanLine(node, idOf(node.span.spanId));
}

function changeLines(change: string, a: Span, b: Span): readonly string[] {
  switch (change) {
    case "model":
      return [
        `  model ${excerpt(modelOf(a) ?? "(none)", 60)} → ${excerpt(modelOf(b) ?? "(none)", 60)}`,
      ];
    case "status":
      return [`  a ${errorText(a) || a.status}; b ${errorText(b) || b.status}`];
    case "input": {
      const changed = firstChangedMessage(a, b);
      if (changed === undefined) return differenceLines("input", spanInput(a), spanInput(b));
      const role = excerpt(changed.b?.role ?? changed.a?.role ?? "", 20);
      return differenceLines(
        `${role} message ${changed.index}`,
        changed.a?.content,
        changed.b?.content,
      );
    }
    default:
      return differenceLines(change, spanOutput(a), spanOutput(b));
  }
}

/** Characters before the first difference, and characters of each side. */
const LEAD_CHARS = 30;
const SIDE_CHARS = 160;

/** Both texts from shortly before the place where they part. */
function differenceLines(
  what: string,
  a: string | undefined,
  b: string | undefined,
): readonly string[] {
  const [textA, textB] = [clean(a ?? ""), clean(b ?? "")];
  const from = Math.max(0, sharedPrefixLength(textA, textB) - LEAD_CHARS);
  const side = (text: string) => (from > 0 ? "…" : "") + excerpt(text.slice(from), SIDE_CHARS);
  return [`  ${what} a: ${side(textA) || "(none)"}`, `  ${what} b: ${side(textB) || "(none)"}`];
}

function sharedPrefixLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}

/** Differences smaller than this are noise. */
const MIN_DELTA_MS = 50;

function costlierLine(
  step: ComparedStep,
  idsOf: IdsOf,
): readonly { weight: number; line: string }[] {
  if (step.type !== "both" || step.a.kind === "session") return [];
  const deltaMs = step.b.span.durationMs - step.a.span.durationMs;
  const deltaUsd = costDeltaUsd(step.a.own, step.b.own);
  if (Math.abs(deltaMs) < MIN_DELTA_MS && deltaUsd === 0) return [];
  const sign = (value: number) => (value > 0 ? "+" : "");
  const cost = deltaUsd === 0 ? "" : `, ${sign(deltaUsd)}${formatUsd(deltaUsd)}`;
  const line = `${spanTitle(step.b)} [${idsOf.b(step.b.span.spanId)}]: ${sign(deltaMs)}${formatDuration(deltaMs)}${cost}`;
  return [{ weight: Math.abs(deltaMs), line }];
}

/** 0 also where one of the two costs is not known. */
function costDeltaUsd(a: Usage, b: Usage): number {
  const [before, after] = [knownCostUsd(a), knownCostUsd(b)];
  return before === undefined || after === undefined ? 0 : after - before;
}
