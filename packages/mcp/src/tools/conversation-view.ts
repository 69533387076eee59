import { conversationTurns, type History, type Turn } from "../trace/conversation.js";
import type { Message } from "../trace/messages.js";
import { attributeKeys } from "../trace/semconv.js";
import { type SpanNode, type SpanTree, subtreeOf } from "../trace/tree.js";
import { callText, renderAnswer } from "./answer.js";
import { payloadLines } from "./payload.js";
import { cut, excerpt } from "./recorded-text.js";
import { safeId, shortSpanIds } from "./span-ids.js";
import { spanLine } from "./span-line.js";
import { formatCount, plural } from "./text.js";
import { traceHead } from "./trace-head.js";

export interface ConversationOptions {
  readonly dashboardUrl: string | undefined;
  readonly maxTokens: number;
  /** Only the model calls below this span. */
  readonly focus?: SpanNode | undefined;
  /** How many lines to pass over. */
  readonly cursor?: number | undefined;
}

/** Longest part of one message, and of a tool call's arguments, that stands in a conversation. */
const MAX_MESSAGE_CHARS = 600;
const MAX_ARGUMENT_CHARS = 200;

/**
 * What the models were told and what they answered, every message once: a prompt repeats the whole
 * conversation with each call, and here each call is what it adds to the one before.
 */
export function renderConversation(tree: SpanTree, options: ConversationOptions): string {
  const { focus, cursor: skipped = 0, maxTokens } = options;
  const idOf = shortSpanIds(tree.trace);
  const scope = focus && new Set(subtreeOf(tree, focus));
  const turns = conversationTurns(tree).filter(({ node }) => scope?.has(node) ?? true);
  const lines = turns.flatMap((turn) => turnLines(turn, idOf));
  const args = {
    trace_id: safeId(tree.trace.traceId),
    view: "conversation",
    ...(focus && { focus_span_id: safeId(focus.span.spanId) }),
  };
  const whole = callText("get_spans", {
    trace_id: args.trace_id,
    span_ids: ["<id>"],
    path: promptKey(turns),
  });
  return renderAnswer(
    {
      head: [
        ...traceHead(tree, options.dashboardUrl),
        `${plural(turns.length, "model call")}, each as what is new since the call before:`,
      ],
      sections: [
        {
          lines: lines.slice(skipped),
          rest: (shown) => callText("trace_detail", { ...args, cursor: String(skipped + shown) }),
        },
      ],
      foot: [`A whole prompt: ${whole}`],
    },
    maxTokens,
  );
}

/** The attribute that holds the first recorded prompt: conventions of any age name it. */
function promptKey(turns: readonly Turn[]): string {
  const names = turns.flatMap(({ node }) => Object.keys(node.span.attributes));
  const holds = (key: string) => names.some((name) => name === key || name.startsWith(`${key}.`));
  return attributeKeys.inputMessages.find(holds) ?? "gen_ai.prompt";
}

function turnLines(turn: Turn, idOf: (spanId: string) => string): readonly string[] {
  const { node, history, addedMessages, prompt, completion } = turn;
  const agent = node.agent === undefined ? "" : `${excerpt(node.agent, 60)}: `;
  const kept = prompt.length - addedMessages.length;
  const since = kept > 0 ? `, after ${plural(kept, "message")} as before` : "";
  // What was the answer of one call comes back in the prompt of the next: it is told as the answer.
  return [
    `${agent}${spanLine(node, idOf(node.span.spanId))} (${historyText[history]}${since}${droppedText(turn)})`,
    ...turn.newMessages.flatMap(messageLines),
    ...completion.flatMap((message) => messageLines(message).map((line) => `→ ${line}`)),
  ];
}

const historyText: Readonly<Record<History, string>> = {
  start: "new conversation",
  continued: "continued",
  edited: "earlier messages changed",
  truncated: "earlier messages gone",
  unrecorded: "no prompt recorded",
};

function droppedText({ droppedCount }: Turn): string {
  return droppedCount > 0 ? `, ${formatCount(droppedCount)} left out` : "";
}

function messageLines({ role, content, toolCalls }: Message): readonly string[] {
  const calls = toolCalls.map(
    (call) => `calls ${excerpt(call.name, 60)}(${excerpt(call.arguments, MAX_ARGUMENT_CHARS)})`,
  );
  const text = payloadLines(content).join("\n");
  const said = text === "" ? [] : [cut(text, MAX_MESSAGE_CHARS)];
  return [...said, ...calls].map((part) => `  ${excerpt(role, 20)}: ${part}`);
}
