import { type AgentopsKind, entityNameOf } from "./agentops-kind.js";
import { completionMessages, messagesText, promptMessages } from "./messages.js";
import { attributeKeys, firstText } from "./semconv.js";
import type { Span } from "./trace.js";

export interface ToolUse {
  readonly name: string;
  /** As recorded: JSON, or whatever text the instrumentation made of it. */
  readonly arguments: string | undefined;
  readonly result: string | undefined;
  readonly callId: string | undefined;
}

/** Undefined on a span that is no tool. */
export function toolOf(span: Span, kind: AgentopsKind): ToolUse | undefined {
  if (kind !== "tool") return undefined;
  const read = (keys: readonly string[]) => firstText(span.attributes, keys);
  return {
    name: read(attributeKeys.toolName) ?? entityNameOf(span),
    arguments: read(attributeKeys.toolArguments) ?? read(attributeKeys.input),
    result: read(attributeKeys.toolResult) ?? read(attributeKeys.output),
    callId: read(attributeKeys.toolCallId),
  };
}

/** What went into a span of any kind, as text: arguments, a decorator's input, or the prompt. */
export function spanInput(span: Span): string | undefined {
  return (
    firstText(span.attributes, attributeKeys.toolArguments) ??
    firstText(span.attributes, attributeKeys.input) ??
    (messagesText(promptMessages(span)) || undefined)
  );
}

/** What came out of a span of any kind, as text. */
export function spanOutput(span: Span): string | undefined {
  return (
    firstText(span.attributes, attributeKeys.toolResult) ??
    firstText(span.attributes, attributeKeys.output) ??
    (messagesText(completionMessages(span)) || undefined)
  );
}
