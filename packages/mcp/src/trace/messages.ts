import { isRecord, parseJson, textOf } from "./json.js";
import { attributeKeys, firstText } from "./semconv.js";
import type { Attributes, Span } from "./trace.js";

export interface Message {
  readonly role: string;
  /** Text parts joined; media and other parts as JSON text. */
  readonly content: string;
  readonly toolCalls: readonly ToolCall[];
  /** On a tool's answer: the call it answers. */
  readonly toolCallId: string | undefined;
  /** Of an answer: why the model stopped. */
  readonly finishReason: string | undefined;
}

export interface ToolCall {
  readonly id: string | undefined;
  readonly name: string;
  /** JSON text as the model wrote it. */
  readonly arguments: string;
}

/**
 * What the model was given, system instructions first. Reads `gen_ai.input.messages` (JSON),
 * `gen_ai.prompt.{i}.*` (flat) and `gen_ai.prompt` (JSON list or plain text).
 */
export function promptMessages(span: Span): readonly Message[] {
  const messages = readMessages(span.attributes, {
    json: attributeKeys.inputMessages,
    flat: ["gen_ai.prompt"],
    role: "user",
  });
  const instructions = firstText(span.attributes, attributeKeys.systemInstructions);
  if (instructions === undefined || messages.some(({ role }) => role === "system")) return messages;
  return [
    parseMessage({ content: parseJson(instructions) ?? instructions }, "system"),
    ...messages,
  ];
}

/** What the model answered: `gen_ai.output.messages`, `gen_ai.completion[.{i}.*]`, `gen_ai.response.{i}.content`. */
export function completionMessages(span: Span): readonly Message[] {
  return readMessages(span.attributes, {
    json: attributeKeys.outputMessages,
    flat: ["gen_ai.completion", "gen_ai.response"],
    role: "assistant",
  });
}

/** Messages as one text: role, content and tool calls, a blank line between messages. */
export function messagesText(messages: readonly Message[]): string {
  return messages.map(messageText).join("\n\n");
}

/** Equal for messages that say the same; call ids, which differ between runs, do not count. */
export function messageKey(message: Message): string {
  return `${message.role}\n${callsText(message)}\n${message.content}`;
}

/** Characters of content and tool calls: what a message weighs in a prompt. */
export function messageSize(message: Message): number {
  return message.content.length + callsText(message).length;
}

function messageText(message: Message): string {
  return [`${message.role}: ${message.content}`, callsText(message)].filter(Boolean).join("\n");
}

function callsText({ toolCalls }: Message): string {
  return toolCalls.map((call) => `${call.name}(${call.arguments})`).join("\n");
}

interface Sources {
  readonly json: readonly string[];
  readonly flat: readonly string[];
  /** For messages that name no role. */
  readonly role: string;
}

function readMessages(attributes: Attributes, { json, flat, role }: Sources): readonly Message[] {
  const text = firstText(attributes, json);
  if (text !== undefined) {
    const value = parseJson(text) ?? text;
    return (Array.isArray(value) ? value : [value]).map((item) => parseMessage(item, role));
  }
  for (const prefix of flat) {
    const messages = entriesUnder(attributes, prefix);
    if (messages.length > 0) return messages.map((fields) => parseFlatMessage(fields, role));
  }
  return [];
}

/** `{prefix}.{i}.{field}` as one record per `i`, in order of `i`; gaps are skipped. */
function entriesUnder(attributes: Attributes, prefix: string): readonly Attributes[] {
  const entries = new Map<number, Record<string, string>>();
  const start = prefix.length + 1;
  for (const key of Object.keys(attributes)) {
    // Spans have many keys, so this looks before it cuts.
    if (!key.startsWith(prefix) || key[prefix.length] !== ".") continue;
    const end = key.indexOf(".", start);
    const index = Number(key.slice(start, end));
    if (end <= start || !Number.isInteger(index)) continue;
    const entry = entries.get(index) ?? {};
    entry[key.slice(end + 1)] = attributes[key] ?? "";
    entries.set(index, entry);
  }
  return [...entries].sort(([a], [b]) => a - b).map(([, entry]) => entry);
}

function parseFlatMessage(fields: Attributes, role: string): Message {
  const content = fields.content ?? "";
  const flatCalls = entriesUnder(fields, "tool_calls").map(
    (call): ToolCall => ({
      id: call.id,
      name: call.name ?? call["function.name"] ?? "",
      arguments: call.arguments ?? call["function.arguments"] ?? "",
    }),
  );
  const message = parseMessage({ ...fields, content: partsIn(content) ?? content }, role);
  return { ...message, toolCalls: [...flatCalls, ...message.toolCalls] };
}

/** Multimodal content and Anthropic's tool blocks arrive as the JSON text of a list of typed parts. */
function partsIn(content: string): readonly unknown[] | undefined {
  const value = parseJson(content);
  const isParts = Array.isArray(value) && value.every((part) => isRecord(part) && "type" in part);
  return isParts ? value : undefined;
}

/** A message as GenAI conventions, OpenAI, Anthropic or LangChain write it in JSON. */
function parseMessage(item: unknown, role: string): Message {
  if (!isRecord(item)) {
    const content = textOf(item);
    return { role, content, toolCalls: [], toolCallId: undefined, finishReason: undefined };
  }
  const body = item.parts ?? item.content;
  const parts = Array.isArray(body) ? body : [body];
  const calls = Array.isArray(item.tool_calls) ? item.tool_calls : [];
  return {
    role: textOf(item.role ?? langChainRole(item.type) ?? role),
    content: parts.map(partText).filter(Boolean).join("\n"),
    toolCalls: [...calls, ...parts.filter(isCallPart)].map(parseToolCall),
    toolCallId: textOrNone(item.tool_call_id ?? parts.map(answeredCall).find(Boolean)),
    finishReason: textOrNone(item.finish_reason),
  };
}

function langChainRole(type: unknown): string | undefined {
  if (type === "human") return "user";
  if (type === "ai") return "assistant";
  return type === "system" || type === "tool" ? type : undefined;
}

function partText(part: unknown): string {
  if (!isRecord(part)) return textOf(part);
  if (isCallPart(part)) return "";
  const body = part.text ?? part.content ?? part.response ?? part.result ?? part;
  // Anthropic's tool results hold a list of text parts; nothing nests further.
  if (!Array.isArray(body)) return textOf(body);
  return body.map((inner) => textOf(isRecord(inner) ? (inner.text ?? inner) : inner)).join("\n");
}

/** `tool_call` in the GenAI conventions, `tool_use` for Anthropic. */
function isCallPart(part: unknown): boolean {
  return isRecord(part) && (part.type === "tool_call" || part.type === "tool_use");
}

function answeredCall(part: unknown): unknown {
  if (!isRecord(part)) return undefined;
  return part.tool_use_id ?? (part.type === "tool_call_response" ? part.id : undefined);
}

function parseToolCall(item: unknown): ToolCall {
  const call = isRecord(item) ? item : {};
  const target = isRecord(call.function) ? call.function : call;
  return {
    id: textOrNone(call.id),
    name: textOf(target.name),
    arguments: textOf(target.arguments ?? target.args ?? target.input),
  };
}

function textOrNone(value: unknown): string | undefined {
  return textOf(value) || undefined;
}
