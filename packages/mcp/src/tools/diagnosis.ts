import { type AlikeSpans, accountAlike } from "../trace/alike.js";
import { llmCalls } from "../trace/calls.js";
import { type ContextCall, contextGrowth } from "../trace/context-growth.js";
import { criticalTimes, selfTimes } from "../trace/critical-path.js";
import { type ErrorChain, errorChains } from "../trace/errors.js";
import { findLoops, type Loop } from "../trace/loops.js";
import { type RepeatedCall, repeatedCalls } from "../trace/repeats.js";
import { spendAfterFirstFailure } from "../trace/spend.js";
import { summarizeTrace } from "../trace/summary.js";
import { ancestorsOf, type SpanNode, type SpanTree } from "../trace/tree.js";
import { knownCostUsd, sumUsage } from "../trace/usage.js";
import { raisedAt } from "./raised-at.js";
import { excerpt } from "./recorded-text.js";
import { errorText, spanTitle, spentText, usageText } from "./span-line.js";
import { formatCount, formatDuration, formatShare, plural } from "./text.js";

/** Lines of one kind of finding, most important first; all of it recorded text. */
export interface Finding {
  readonly title: string;
  readonly lines: readonly string[];
}

type IdOf = (spanId: string) => string;

/** How much of each kind is worth saying at all. */
const MAX_LINES = 20;

/** What went wrong, what took the time and the money, and what was done in vain, in this order. */
export function diagnosis(tree: SpanTree, idOf: IdOf): readonly Finding[] {
  const findings: readonly Finding[] = [
    { title: "errors", lines: first(errorChains(tree)).map((chain) => errorLine(chain, idOf)) },
    { title: "after the first failure", lines: afterFailureLines(tree) },
    { title: "loops", lines: first(findLoops(tree)).map((loop) => loopLine(loop, idOf)) },
    {
      title: "repeated calls",
      lines: first(repeatedCalls(tree)).map((call) => repeatLine(call, idOf)),
    },
    { title: "where the time went (critical path)", lines: timeLines(tree, idOf) },
    { title: "what cost most", lines: costLines(tree, idOf) },
    { title: "prompt growth", lines: growthLines(tree, idOf) },
  ];
  return findings.map(({ title, lines }) => ({ title, lines: first(lines) }));
}

function first<Item>(items: readonly Item[]): readonly Item[] {
  return items.slice(0, MAX_LINES);
}

function named({ span, kind }: SpanNode, idOf: IdOf): string {
  return `${spanTitle({ span, kind })} [${idOf(span.spanId)}]`;
}

/** Most ancestors named on a path. */
const MAX_PATH = 4;

function errorLine(chain: ErrorChain, idOf: IdOf): string {
  const { origin, passedOnBy, stoppedAt } = chain;
  const above = ancestorsOf(origin);
  const path = above.slice(-MAX_PATH).map((node) => spanTitle(node));
  const skipped = above.length > path.length ? "… > " : "";
  const reached =
    stoppedAt === undefined
      ? "ended the run"
      : passedOnBy.length === 0
        ? "was not passed on"
        : `passed on by ${passedOnBy.length}, stopped at ${spanTitle(stoppedAt)}`;
  const place = `${skipped}${[...path, named(origin, idOf)].join(" > ")}`;
  return [`${errorText(origin.span)} in ${place}`, reached, raisedAt(chain)]
    .filter(Boolean)
    .join("; ");
}

function afterFailureLines(tree: SpanTree): readonly string[] {
  const after = spendAfterFirstFailure(tree);
  if (after === undefined || after.spend.spanCount === 0) return [];
  const { durationMs, spanCount, usage } = after.spend;
  const spent = [plural(spanCount, "span"), formatDuration(durationMs), usageText(usage)];
  return [`${spent.filter(Boolean).join(", ")} were spent after the first failure`];
}

function loopLine({ steps, rounds, repeatedSpend }: Loop, idOf: IdOf): string {
  const names = steps.map((node) => named(node, idOf)).join(" → ");
  const spent = [formatDuration(repeatedSpend.durationMs), usageText(repeatedSpend.usage)];
  return `${formatCount(rounds)} rounds of ${names}; rounds after the first took ${spent.filter(Boolean).join(", ")}`;
}

const MAX_INPUT_CHARS = 100;

function repeatLine(call: RepeatedCall, idOf: IdOf): string {
  const { kind, name, input, calls, failedCount, retryCount, repeatedMs, repeatedUsage } = call;
  const [first] = calls;
  const facts = [
    failedCount > 0 && `${formatCount(failedCount)} failed`,
    retryCount > 0 && plural(retryCount, "retry").replace("retrys", "retries"),
    call.hasRecovered && "recovered",
    call.hasOneOutput && failedCount === 0 && "same output each time",
    `repeats took ${[formatDuration(repeatedMs), usageText(repeatedUsage)].filter(Boolean).join(", ")}`,
  ].filter((fact) => fact !== false);
  const id = first === undefined ? "" : ` first [${idOf(first.span.spanId)}]`;
  return `${formatCount(calls.length)}× ${kind} ${excerpt(name, 60)}(${excerpt(input, MAX_INPUT_CHARS)}): ${facts.join(", ")}${id}`;
}

const MAX_TIME_LINES = 6;

function timeLines(tree: SpanTree, idOf: IdOf): readonly string[] {
  const critical = criticalTimes(tree);
  const self = selfTimes(tree);
  const { durationMs } = summarizeTrace(tree);
  const timeOf = ({ index }: SpanNode) => critical[index] ?? 0;
  return accountAlike(tree, timeOf)
    .slice(0, MAX_TIME_LINES)
    .map((alike) => {
      const { most, nodes, total } = alike;
      const share = `${formatShare(total, durationMs)} ${formatDuration(total)}`;
      if (nodes.length > 1)
        return `${share} ${alikeText(alike, formatDuration(timeOf(most)), idOf)}`;
      const own = formatDuration(self[most.index] ?? 0);
      return `${share} ${named(most, idOf)}, self ${own} of ${formatDuration(most.span.durationMs)}`;
    });
}

/** `2,000× tool search, most 20 ms [4f2a1c]` */
function alikeText({ most, nodes }: AlikeSpans, mostText: string, idOf: IdOf): string {
  return `${formatCount(nodes.length)}× ${spanTitle(most)}, most ${mostText} [${idOf(most.span.spanId)}]`;
}

const MAX_COST_LINES = 5;

/** By money where all of it is known, else by tokens: shares of a part would be too large. */
function costLines(tree: SpanTree, idOf: IdOf): readonly string[] {
  const { usage } = summarizeTrace(tree);
  const totalUsd = knownCostUsd(usage) ?? 0;
  const spentOn = ({ own }: SpanNode) => (totalUsd > 0 ? (own.costUsd ?? 0) : own.tokens.total);
  const total = totalUsd > 0 ? totalUsd : usage.tokens.total;
  const lines = accountAlike(tree, spentOn)
    .slice(0, MAX_COST_LINES)
    .map((alike) => {
      const { most, nodes } = alike;
      const used = usageText(sumUsage(nodes.map(({ own }) => own)));
      const share = `${formatShare(alike.total, total)} ${used}`;
      if (nodes.length > 1) return `${share} ${alikeText(alike, usageText(most.own), idOf)}`;
      return `${share} ${named(most, idOf)}`;
    });
  const calls = llmCalls(tree).length;
  const all = [
    `all: ${plural(calls, "model call")}`,
    `${formatCount(usage.tokens.total)} tok`,
    spentText(usage),
  ];
  return lines.length === 0 ? [] : [...lines, all.filter(Boolean).join(", ")];
}

/** Two calls are no curve. */
const MIN_GROWTH_CALLS = 3;
const MAX_JUMPS = 3;

function growthLines(tree: SpanTree, idOf: IdOf): readonly string[] {
  return contextGrowth(tree).flatMap(({ agent, calls, peakTokens }) => {
    const [first] = calls;
    const last = calls.at(-1);
    if (first === undefined || last === undefined || calls.length < MIN_GROWTH_CALLS) return [];
    const who = excerpt(agent ?? "(no agent)", 60);
    const curve = `${who}: ${formatCount(first.inputTokens)} → ${formatCount(last.inputTokens)} prompt tok over ${formatCount(calls.length)} calls, peak ${formatCount(peakTokens)}${cachedText(calls)}`;
    const jumps = calls
      .filter(({ isJump }) => isJump)
      .sort((a, b) => (b.grownTokens ?? 0) - (a.grownTokens ?? 0))
      .slice(0, MAX_JUMPS);
    return [curve, ...jumps.map((call) => jumpLine(call, idOf))];
  });
}

function cachedText(calls: readonly ContextCall[]): string {
  const cached = calls.reduce((sum, { node }) => sum + node.own.tokens.cacheRead, 0);
  const read = calls.reduce((sum, { inputTokens }) => sum + inputTokens, 0);
  return cached > 0 ? `, ${formatShare(cached, read)} from cache` : "";
}

function jumpLine({ node, grownTokens = 0, causes }: ContextCall, idOf: IdOf): string {
  const [cause] = causes;
  const source = cause?.tool
    ? `result of ${excerpt(cause.tool, 60)}`
    : `${excerpt(cause?.message.role ?? "", 20)} message`;
  const because =
    cause === undefined ? "" : `, mostly a ${source} of ${formatCount(cause.chars)} chars`;
  return `  +${formatCount(grownTokens)} tok at ${named(node, idOf)}${because}`;
}
