import { bareName } from "./agentops-kind.js";
import { canonicalArguments } from "./json.js";
import { attributeKeys, firstText } from "./semconv.js";
import { spanInput } from "./span-io.js";
import type { SpanNode } from "./tree.js";

/** A step that both sequences took, or that only one of them did. */
export type AlignedStep =
  | {
      readonly type: "both";
      readonly a: SpanNode;
      readonly b: SpanNode;
      readonly hasSameInput: boolean;
    }
  | { readonly type: "only_a"; readonly a: SpanNode }
  | { readonly type: "only_b"; readonly b: SpanNode };

export interface Alignment {
  /** In the order of both sequences. */
  readonly steps: readonly AlignedStep[];
  /** Steps beyond {@link maxAlignedSteps}, on which nothing is said. */
  readonly leftOver: { readonly a: number; readonly b: number };
}

/**
 * Of what is left of each sequence once equal beginnings and ends are set aside. The table takes a byte
 * for each pair: 25 MB, and about half a second.
 */
export const maxAlignedSteps = 5000;

/**
 * Pairs the steps of two traces by role (kind, name and agent) and order, as many as can be without
 * crossing. An equal input counts as much as another pair; of ways equally good, the one that pairs
 * earliest is taken.
 */
export function alignSteps(a: readonly SpanNode[], b: readonly SpanNode[]): Alignment {
  const numberOf = createNumbering();
  const stepsOf = (nodes: readonly SpanNode[]) =>
    nodes.map((node) => ({
      node,
      role: numberOf(roleOf(node)),
      input: numberOf(comparableText(spanInput(node.span))),
    }));
  const [stepsA, stepsB] = [stepsOf(a), stepsOf(b)];

  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && isSame(stepsA[head], stepsB[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isSame(stepsA.at(-1 - tail), stepsB.at(-1 - tail))) tail++;

  const middleA = stepsA.slice(head, a.length - tail);
  const middleB = stepsB.slice(head, b.length - tail);
  return {
    steps: [
      ...stepsA.slice(0, head).flatMap((step, i) => alignedStep(step, stepsB[i])),
      ...alignMiddle(middleA.slice(0, maxAlignedSteps), middleB.slice(0, maxAlignedSteps)),
      ...stepsA
        .slice(a.length - tail)
        .flatMap((step, i) => alignedStep(step, stepsB[b.length - tail + i])),
    ],
    leftOver: {
      a: Math.max(0, middleA.length - maxAlignedSteps),
      b: Math.max(0, middleB.length - maxAlignedSteps),
    },
  };
}

interface Step {
  readonly node: SpanNode;
  readonly role: number;
  readonly input: number;
}

/** What stays the same when the prompt, the arguments or the model change. */
function roleOf({ span, kind, agent }: SpanNode): string {
  const model = firstText(span.attributes, attributeKeys.requestModel);
  const name = model === undefined ? span.name : span.name.replace(model, "");
  return JSON.stringify([kind, bareName(name), agent]);
}

/** Python prints an object with its address, which differs in every run. */
const objectAddress = /\b0x[0-9a-f]{6,}\b/gi;

/** One spelling for texts that say the same in two runs. */
export function comparableText(text: string | undefined): string {
  return canonicalArguments(text ?? "").replace(objectAddress, "0x");
}

function createNumbering(): (text: string) => number {
  const numbers = new Map<string, number>();
  return (text) => {
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    return number;
  };
}

function isSame(a: Step | undefined, b: Step | undefined): boolean {
  return a?.role === b?.role && a?.input === b?.input;
}

function alignedStep(a: Step | undefined, b: Step | undefined): readonly AlignedStep[] {
  if (a !== undefined && b !== undefined) {
    return [{ type: "both", a: a.node, b: b.node, hasSameInput: a.input === b.input }];
  }
  if (a !== undefined) return [{ type: "only_a", a: a.node }];
  return b === undefined ? [] : [{ type: "only_b", b: b.node }];
}

const takeBoth = 0;
const skipA = 1;
const skipB = 2;

function alignMiddle(a: readonly Step[], b: readonly Step[]): readonly AlignedStep[] {
  const moves = bestMoves(a, b);
  const steps: AlignedStep[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const move = moves[i * (b.length + 1) + j];
    const stepA = move === skipB ? undefined : a[i++];
    const stepB = move === skipA ? undefined : b[j++];
    steps.push(...alignedStep(stepA, stepB));
  }
  return steps;
}

/**
 * For each place in both sequences the move that begins the best alignment of the rest, in rows of
 * `b.length + 1`. Needleman and Wunsch's table, filled from the end so that it is read from the start:
 * a pair scores 1, one more with equal inputs, a skipped step nothing.
 */
function bestMoves(a: readonly Step[], b: readonly Step[]): Uint8Array {
  const width = b.length + 1;
  const moves = new Uint8Array((a.length + 1) * width).fill(skipB, a.length * width);
  let scoresBelow = new Int32Array(width);
  let scores = new Int32Array(width);
  for (let i = a.length - 1; i >= 0; i--) {
    moves[i * width + b.length] = skipA;
    for (let j = b.length - 1; j >= 0; j--) {
      const both = (scoresBelow[j + 1] ?? 0) + pairScore(a[i], b[j]);
      const withoutA = scoresBelow[j] ?? 0;
      const withoutB = scores[j + 1] ?? 0;
      const best = Math.max(both, withoutA, withoutB);
      scores[j] = best;
      moves[i * width + j] = best === both ? takeBoth : best === withoutA ? skipA : skipB;
    }
    [scoresBelow, scores] = [scores, scoresBelow];
  }
  return moves;
}

/** Steps of different roles never pair. */
function pairScore(a: Step | undefined, b: Step | undefined): number {
  if (a?.role !== b?.role) return Number.NEGATIVE_INFINITY;
  return a?.input === b?.input ? 2 : 1;
}
