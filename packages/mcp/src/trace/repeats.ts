import { llmCalls, toolCalls } from "./calls.js";
import { groupBy } from "./group-by.js";
import { canonicalArguments } from "./json.js";
import { modelOf } from "./semconv.js";
import { spanInput, spanOutput } from "./span-io.js";
import type { SpanNode, SpanTree } from "./tree.js";
import { sumUsage, type Usage } from "./usage.js";

/** One call made more than once: a tool with the same arguments, or a model with the same prompt. */
export interface RepeatedCall {
  readonly kind: "tool" | "llm";
  /** Of the tool, or of the model. */
  readonly name: string;
  /** Canonical arguments, or the prompt. */
  readonly input: string;
  /** By start time. */
  readonly calls: readonly SpanNode[];
  readonly failedCount: number;
  /** Calls made after the one before them had failed. */
  readonly retryCount: number;
  /** A call failed and the last one did not. */
  readonly hasRecovered: boolean;
  /** Every call recorded the same output. */
  readonly hasOneOutput: boolean;
  /** Spent by all calls but the first, and by what runs below them. */
  readonly repeatedMs: number;
  readonly repeatedUsage: Usage;
}

interface Call {
  readonly kind: "tool" | "llm";
  readonly name: string;
  readonly input: string;
  readonly node: SpanNode;
}

/** Most frequent first. Calls whose input was not recorded cannot be compared and are left out. */
export function repeatedCalls(tree: SpanTree): readonly RepeatedCall[] {
  const calls = [...toolCallsWithInput(tree), ...llmCallsWithInput(tree)];
  return [...groupBy(calls, ({ kind, name, input }) => `${kind}\n${name}\n${input}`).values()]
    .filter((alike) => alike.length > 1)
    .map(describeRepeats)
    .sort((a, b) => b.calls.length - a.calls.length);
}

function toolCallsWithInput(tree: SpanTree): readonly Call[] {
  return toolCalls(tree).flatMap(({ node, tool }) =>
    tool.arguments === undefined
      ? []
      : [{ kind: "tool", name: tool.name, input: canonicalArguments(tool.arguments), node }],
  );
}

function llmCallsWithInput(tree: SpanTree): readonly Call[] {
  return llmCalls(tree).flatMap((node) => {
    const input = spanInput(node.span);
    return input === undefined
      ? []
      : [{ kind: "llm", name: modelOf(node.span) ?? "", input, node }];
  });
}

function describeRepeats(alike: readonly [Call, ...Call[]]): RepeatedCall {
  const { kind, name, input } = alike[0];
  const calls = alike.map(({ node }) => node);
  const failed = calls.map(({ span }) => span.status === "error");
  const [, ...repeats] = calls;
  return {
    kind,
    name,
    input,
    calls,
    failedCount: failed.filter(Boolean).length,
    retryCount: failed.slice(0, -1).filter(Boolean).length,
    hasRecovered: failed.includes(true) && failed.at(-1) === false,
    hasOneOutput: new Set(calls.map(({ span }) => spanOutput(span))).size === 1,
    repeatedMs: repeats.reduce((sum, { span }) => sum + span.durationMs, 0),
    repeatedUsage: sumUsage(repeats.map(({ subtree }) => subtree.usage)),
  };
}
