import { conversationTurns, type Turn } from "./conversation.js";
import { groupBy } from "./group-by.js";
import { type Message, messageSize } from "./messages.js";
import type { SpanNode, SpanTree } from "./tree.js";

/** How the prompts of one agent grew over its model calls. */
export interface ContextGrowth {
  readonly agent: string | undefined;
  /** By start time; without those that reported no tokens, unless none did. */
  readonly calls: readonly ContextCall[];
  readonly peakTokens: number;
}

export interface ContextCall {
  readonly node: SpanNode;
  /** Tokens the model read, cached ones included. */
  readonly inputTokens: number;
  /** No tokens were reported: {@link inputTokens} is the prompt's length over {@link charsPerToken}. */
  readonly isEstimate: boolean;
  /** Against the call whose conversation this one goes on with; undefined where one starts. */
  readonly grownTokens: number | undefined;
  /** Grown by at least {@link minJumpTokens} and {@link minJumpShare} of the prompt before. */
  readonly isJump: boolean;
  /** Of a jump: what came into the prompt since, largest first. */
  readonly causes: readonly ContextCause[];
}

export interface ContextCause {
  readonly message: Message;
  readonly chars: number;
  /** The tool whose answer this is. */
  readonly tool: string | undefined;
}

/** English text in the tokenizers of 2023 to 2025. */
export const charsPerToken = 4;

export const minJumpTokens = 500;

export const minJumpShare = 0.25;

/** Agents in order of their first model call. */
export function contextGrowth(tree: SpanTree): readonly ContextGrowth[] {
  return [...groupBy(conversationTurns(tree), ({ node }) => node.agent)].map(([agent, turns]) => {
    const comparable = comparableTurns(turns);
    const sizes = new Map(comparable.map((turn) => [turn.node, inputTokensOf(turn)]));
    const calls = comparable.map((turn) => contextCall(turn, sizes));
    const peakTokens = calls.reduce((peak, { inputTokens }) => Math.max(peak, inputTokens), 0);
    return { agent, calls, peakTokens };
  });
}

/** Those that reported tokens, where any did: a call that failed reports none, and no estimate is a step of a measured curve. */
function comparableTurns(turns: readonly Turn[]): readonly Turn[] {
  const measured = turns.filter(({ node }) => node.own.tokens.input > 0);
  return measured.length > 0 ? measured : turns;
}

function contextCall(turn: Turn, sizes: ReadonlyMap<SpanNode, number>): ContextCall {
  const inputTokens = sizes.get(turn.node) ?? 0;
  const goesOnFrom = turn.history === "start" ? undefined : turn.previous;
  const before = goesOnFrom && sizes.get(goesOnFrom);
  const grownTokens = before === undefined ? undefined : inputTokens - before;
  const threshold = Math.max(minJumpTokens, (before ?? 0) * minJumpShare);
  const isJump = grownTokens !== undefined && grownTokens >= threshold;
  return {
    node: turn.node,
    inputTokens,
    isEstimate: turn.node.own.tokens.input === 0,
    grownTokens,
    isJump,
    causes: isJump ? causesOf(turn) : [],
  };
}

/**
 * The GenAI conventions count cached tokens as part of the input; Anthropic's own figures leave them
 * out, which shows where the parts exceed the whole.
 */
function inputTokensOf({ node, prompt }: Turn): number {
  const { input, cacheRead, cacheWrite } = node.own.tokens;
  const cached = cacheRead + cacheWrite;
  if (input > 0) return cached > input ? input + cached : input;
  return Math.round(prompt.reduce((sum, message) => sum + messageSize(message), 0) / charsPerToken);
}

function causesOf({ prompt, addedMessages }: Turn): readonly ContextCause[] {
  const toolNames = new Map(
    prompt.flatMap(({ toolCalls }) => toolCalls.map(({ id, name }) => [id, name])),
  );
  return addedMessages
    .map((message) => ({
      message,
      chars: messageSize(message),
      tool: message.toolCallId && toolNames.get(message.toolCallId),
    }))
    .sort((a, b) => b.chars - a.chars);
}
