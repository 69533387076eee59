import { toolCalls } from "./calls.js";
import { canonicalArguments } from "./json.js";
import { createSpendMeter, type Spend } from "./spend.js";
import { endUnixMs } from "./trace.js";
import { byStart, type SpanNode, type SpanTree } from "./tree.js";

/** A sequence of steps taken again and again without change. */
export interface Loop {
  /** The steps of the first round. */
  readonly steps: readonly SpanNode[];
  readonly rounds: number;
  /** The last step of the last full round. */
  readonly last: SpanNode;
  /** From the start of the second round on: the whole trace, for models run between the steps. */
  readonly repeatedSpend: Spend;
}

/** Fewer rounds than this are a retry or a coincidence. */
export const minLoopRounds = 3;

/** Longer cycles are not looked for: the search takes this many passes over the steps. */
export const maxLoopSteps = 20;

/**
 * Loops of tool calls (same tools, same arguments), then of agents handing over to each other. Model
 * calls are no steps here: their prompts grow with every round of a loop.
 */
export function findLoops(tree: SpanTree): readonly Loop[] {
  const spendBetween = createSpendMeter(tree);
  return [toolSteps(tree), handoverSteps(tree)].flatMap((steps) =>
    cyclesIn(steps.map(({ key }) => key)).flatMap(({ start, length, rounds }) => {
      const nodes = steps.slice(start, start + length * rounds).map(({ node }) => node);
      const second = nodes[length];
      const last = nodes.at(-1);
      if (second === undefined || last === undefined) return [];
      const repeatedSpend = spendBetween(second.span.startUnixMs, endUnixMs(last.span));
      return [{ steps: nodes.slice(0, length), rounds, last, repeatedSpend }];
    }),
  );
}

interface Step {
  readonly node: SpanNode;
  readonly key: string;
}

function toolSteps(tree: SpanTree): readonly Step[] {
  return toolCalls(tree).map(({ node, tool }) => {
    // Where arguments were not recorded no two calls are known to be the same.
    const input =
      tool.arguments === undefined ? node.span.spanId : canonicalArguments(tool.arguments);
    return { node, key: `${tool.name} ${input}` };
  });
}

function handoverSteps(tree: SpanTree): readonly Step[] {
  const handovers = tree.nodes.filter(({ kind }) => kind === "agent" || kind === "handoff");
  return byStart(handovers).map((node) => ({
    node,
    key: `${node.kind} ${node.agent ?? node.span.name}`,
  }));
}

interface Cycle {
  readonly start: number;
  /** Steps in one round. */
  readonly length: number;
  readonly rounds: number;
}

/** Shortest cycles first: what repeats every step also repeats every two, and is told once. */
function cyclesIn(keys: readonly string[]): readonly Cycle[] {
  const isTold = new Uint8Array(keys.length);
  const cycles: Cycle[] = [];
  for (let length = 1; length <= maxLoopSteps; length++) {
    let start = 0;
    for (let i = length; i <= keys.length; i++) {
      if (i < keys.length && keys[i] === keys[i - length]) continue;
      const rounds = Math.floor((i - start) / length);
      if (rounds >= minLoopRounds && countZeros(isTold, start, i) >= length * minLoopRounds) {
        cycles.push({ start, length, rounds });
        isTold.fill(1, start, i);
      }
      start = i - length + 1;
    }
  }
  return cycles;
}

function countZeros(flags: Uint8Array, start: number, end: number): number {
  return flags.subarray(start, end).filter((flag) => flag === 0).length;
}
