import { bareName } from "./agentops-kind.js";
import { type AlignedStep, type Alignment, alignSteps, comparableText } from "./align.js";
import { llmCalls, toolCalls } from "./calls.js";
import { type Message, messageKey, promptMessages } from "./messages.js";
import { changedSettings, finishReasons } from "./request-settings.js";
import { modelOf } from "./semconv.js";
import { spanOutput } from "./span-io.js";
import { summarizeTrace, type TraceSummary } from "./summary.js";
import type { Span } from "./trace.js";
import type { SpanNode, SpanTree } from "./tree.js";

export interface TraceComparison {
  readonly a: ComparedTrace;
  readonly b: ComparedTrace;
  readonly comparability: Comparability;
  /** Undefined when every step is in both, unchanged. */
  readonly firstDivergence: ComparedStep | undefined;
  readonly steps: readonly ComparedStep[];
  /** Steps that were too many to align. */
  readonly leftOver: Alignment["leftOver"];
}

export interface ComparedTrace extends TraceSummary {
  readonly llmCallCount: number;
  readonly toolCallCount: number;
  /** Names, in order of appearance. */
  readonly agents: readonly string[];
}

/** `changes` is empty where both traces took the step alike, and on a step that only one took. */
export type ComparedStep = AlignedStep & { readonly changes: readonly Change[] };

export type Change = "model" | "settings" | "input" | "output" | "finish reason" | "status";

/**
 * Whether differences mean anything: two runs of one agent system compare, two different systems do
 * not, and neither do two runs that have less than {@link minAlignedShare} of their steps in common.
 */
export interface Comparability {
  readonly isComparable: boolean;
  readonly reason: "alike" | "empty" | "different_agents" | "different_roots" | "few_common_steps";
  /** Share of all steps of both traces that have a partner, 0 to 1. */
  readonly alignedShare: number;
}

export const minAlignedShare = 0.5;

export function compareTraces(a: SpanTree, b: SpanTree): TraceComparison {
  const { steps: aligned, leftOver } = alignSteps(a.nodes, b.nodes);
  const steps = aligned.map((step) => ({ ...step, changes: changesIn(step) }));
  const [comparedA, comparedB] = [describeTrace(a), describeTrace(b)];
  const pairCount = steps.filter(({ type }) => type === "both").length;
  const alignedShare = (2 * pairCount) / Math.max(1, a.nodes.length + b.nodes.length);
  return {
    a: comparedA,
    b: comparedB,
    comparability: judge(comparedA, comparedB, alignedShare),
    firstDivergence: firstDivergence(steps),
    steps,
    leftOver,
  };
}

/** The first message in which two prompts differ; one side is undefined where that prompt has ended. */
export interface ChangedMessage {
  readonly index: number;
  readonly a: Message | undefined;
  readonly b: Message | undefined;
}

export function firstChangedMessage(a: Span, b: Span): ChangedMessage | undefined {
  const [promptA, promptB] = [promptMessages(a), promptMessages(b)];
  for (let index = 0; index < Math.max(promptA.length, promptB.length); index++) {
    const [messageA, messageB] = [promptA[index], promptB[index]];
    const isSame = messageA && messageB && messageKey(messageA) === messageKey(messageB);
    if (!isSame) return { index, a: messageA, b: messageB };
  }
  return undefined;
}

function changesIn(step: AlignedStep): readonly Change[] {
  if (step.type !== "both") return [];
  const [a, b] = [step.a.span, step.b.span];
  const changes: Change[] = [];
  if (modelOf(a) !== modelOf(b)) changes.push("model");
  if (changedSettings(a, b).length > 0) changes.push("settings");
  if (!step.hasSameInput) changes.push("input");
  if (comparableText(spanOutput(a)) !== comparableText(spanOutput(b))) changes.push("output");
  if (finishReasons(a) !== finishReasons(b)) changes.push("finish reason");
  if ((a.status === "error") !== (b.status === "error")) changes.push("status");
  return changes;
}

/** What a step was given, which nothing below it explains. */
const atStart: ReadonlySet<Change> = new Set(["model", "settings", "input"]);

/**
 * Steps come parents first, but what a parent puts out follows from its children: there the divergence
 * is the child's, unless the parent is a model call, whose children are its answer.
 */
function firstDivergence(steps: readonly ComparedStep[]): ComparedStep | undefined {
  const divergesBelow = new Set<SpanNode>();
  for (const step of steps) {
    if (step.type === "both" && step.changes.length === 0) continue;
    let above = (step.type === "only_b" ? step.b : step.a).parent;
    for (; above !== undefined && !divergesBelow.has(above); above = above.parent) {
      divergesBelow.add(above);
    }
  }
  return steps.find((step) => {
    if (step.type !== "both") return true;
    const startsApart = step.changes.some((change) => atStart.has(change));
    const isOwn =
      step.a.kind === "llm" || !(divergesBelow.has(step.a) || divergesBelow.has(step.b));
    return startsApart || (step.changes.length > 0 && isOwn);
  });
}

function describeTrace(tree: SpanTree): ComparedTrace {
  return {
    ...summarizeTrace(tree),
    llmCallCount: llmCalls(tree).length,
    toolCallCount: toolCalls(tree).length,
    agents: [...new Set(tree.nodes.flatMap(({ agent }) => agent ?? []))],
  };
}

function judge(a: ComparedTrace, b: ComparedTrace, alignedShare: number): Comparability {
  const isRootAlike = a.root?.kind === b.root?.kind && rootName(a) === rootName(b);
  const hasAgents = a.agents.length > 0 && b.agents.length > 0;
  const sharesAgent = a.agents.some((agent) => b.agents.includes(agent));
  const verdict = (reason: Comparability["reason"]) => ({
    isComparable: reason === "alike",
    reason,
    alignedShare,
  });
  if (a.spanCount === 0 || b.spanCount === 0) return verdict("empty");
  if (hasAgents && !sharesAgent) return verdict("different_agents");
  if (alignedShare >= minAlignedShare) return verdict("alike");
  return verdict(isRootAlike ? "few_common_steps" : "different_roots");
}

function rootName({ root }: ComparedTrace): string {
  return bareName(root?.span.name ?? "");
}
