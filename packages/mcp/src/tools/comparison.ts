import type { ComparedStep, ComparedTrace, TraceComparison } from "../trace/compare.js";
import { groupBy } from "../trace/group-by.js";
import type { SpanNode } from "../trace/tree.js";
import { knownCostUsd, type Usage } from "../trace/usage.js";
import { changeLines } from "./change-lines.js";
import type { Finding } from "./diagnosis.js";
import { costText, spanLine, spanTitle } from "./span-line.js";
import { formatCount, formatDuration, formatShare, formatUsd, plural } from "./text.js";

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
  const others = steps.filter((step) => step !== firstDivergence);
  const first = firstDivergence === undefined ? [] : [firstDivergence];
  const changes = changesToldOnce([...first, ...others], idsOf);
  const linesOf = (type: ComparedStep["type"], ofSteps = others) =>
    ofSteps
      .filter((step) => step.type === type)
      .flatMap((step) => changes.get(step) ?? onlyLines(step, idsOf));
  const slower = steps
    .filter((step) => step.type === "both")
    .flatMap((step) => costlierLine(step, idsOf));
  return [
    {
      title: "first difference",
      lines: firstDivergence
        ? linesOf(firstDivergence.type, first)
        : ["none: every step is in both, unchanged"],
    },
    { title: "changed steps", lines: linesOf("both") },
    { title: "steps only in a", lines: linesOf("only_a") },
    { title: "steps only in b", lines: linesOf("only_b") },
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

/** By step, the changes that it is the first to make; a step that only repeats some is left out. */
function changesToldOnce(
  steps: readonly ComparedStep[],
  idsOf: IdsOf,
): ReadonlyMap<ComparedStep, readonly string[]> {
  const changes = steps.flatMap((step) => {
    if (step.type !== "both") return [];
    const { a, b } = step;
    return step.changes.map((change) => ({ step, lines: changeLines(change, a.span, b.span) }));
  });
  const alike = groupBy(changes, ({ lines }) => lines.join("\n")).values();
  const told = [...alike].map(([{ step, lines }, ...repeats]) => ({
    step,
    lines: [...lines, ...repeatLines(repeats.length)],
  }));
  return new Map(
    [...groupBy(told, ({ step }) => step)].map(([step, ofStep]) => [
      step,
      [changedTitle(step, idsOf), ...ofStep.flatMap(({ lines }) => lines)],
    ]),
  );
}

type StepOfBoth = Extract<ComparedStep, { type: "both" }>;

function changedTitle({ a, b, changes }: StepOfBoth, idsOf: IdsOf): string {
  const ids = `a [${idsOf.a(a.span.spanId)}] b [${idsOf.b(b.span.spanId)}]`;
  return `${spanTitle(b)} ${ids}: ${changes.join(", ")} changed`;
}

function repeatLines(repeatCount: number): readonly string[] {
  return repeatCount === 0 ? [] : [`  the same change in ${plural(repeatCount, "further step")}`];
}

function onlyLines(step: ComparedStep, idsOf: IdsOf): readonly string[] {
  if (step.type === "only_a") return [`only in a: ${lineOf(step.a, idsOf.a)}`];
  if (step.type === "only_b") return [`only in b: ${lineOf(step.b, idsOf.b)}`];
  return [];
}

function lineOf(node: SpanNode, idOf: (spanId: string) => string): string {
  return spanLine(node, idOf(node.span.spanId));
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
  const line = `${spanTitle(step.b)} b [${idsOf.b(step.b.span.spanId)}]: ${sign(deltaMs)}${formatDuration(deltaMs)}${cost}`;
  return [{ weight: Math.abs(deltaMs), line }];
}

/** 0 also where one of the two costs is not known. */
function costDeltaUsd(a: Usage, b: Usage): number {
  const [before, after] = [knownCostUsd(a), knownCostUsd(b)];
  return before === undefined || after === undefined ? 0 : after - before;
}
