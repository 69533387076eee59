import type { AgentopsKind } from "./agentops-kind.js";
import { modelOf } from "./semconv.js";
import { toolOf } from "./span-io.js";
import { spellingsOf, spellingsPattern } from "./spellings.js";
import type { Span, SpanStatus } from "./trace.js";
import type { SpanNode } from "./tree.js";

/** What a span must be to be found; every part that is given must hold. Texts match in any case. */
export interface SpanFilter {
  /** Part of the span's name. */
  readonly name?: string | undefined;
  readonly agentopsKind?: AgentopsKind | undefined;
  /** Part of the model's name, so that `gpt-4o` finds its dated versions. */
  readonly model?: string | undefined;
  /** The tool's whole name. */
  readonly tool?: string | undefined;
  /** The agent's whole name. */
  readonly agent?: string | undefined;
  readonly status?: SpanStatus | undefined;
  readonly minDurationMs?: number | undefined;
  readonly maxDurationMs?: number | undefined;
  /** Of the span itself, without its descendants. */
  readonly minCostUsd?: number | undefined;
  readonly attributes?: readonly AttributeFilter[] | undefined;
}

/** With neither `equals` nor `contains`: the attribute is there, whatever its value. */
export interface AttributeFilter {
  readonly key: string;
  readonly equals?: string | undefined;
  readonly contains?: string | undefined;
}

/** One place in which a text occurs in a span. */
export interface TextMatch {
  /** `name`, `status_message`, an attribute's key, or `events.{i}.{key}`. */
  readonly field: string;
  /** Of the match within the field. */
  readonly offset: number;
  readonly length: number;
  /** The match with up to {@link snippetMarginChars} on either side. */
  readonly snippet: string;
  /** Of the match within the snippet. */
  readonly snippetOffset: number;
}

export const snippetMarginChars = 60;

/** One field, such as a long prompt, can hold a text any number of times; the first few tell enough. */
export const maxMatchesPerField = 3;

export function matchesFilter(node: SpanNode, filter: SpanFilter): boolean {
  const { span, kind, agent, own } = node;
  const { agentopsKind = kind, status = span.status, minCostUsd = 0 } = filter;
  const { minDurationMs = 0, maxDurationMs = Number.POSITIVE_INFINITY } = filter;
  return (
    kind === agentopsKind &&
    span.status === status &&
    span.durationMs >= minDurationMs &&
    span.durationMs <= maxDurationMs &&
    (own.costUsd ?? 0) >= minCostUsd &&
    contains(span.name, filter.name) &&
    contains(modelOf(span), filter.model) &&
    equals(toolOf(span, kind)?.name, filter.tool) &&
    equals(agent, filter.agent) &&
    (filter.attributes ?? []).every((attribute) => matchesAttribute(span, attribute))
  );
}

/** Finds where `text` occurs in a span's name, status message, attributes and events, in any case. */
export function createTextFinder(text: string): (span: Span) => readonly TextMatch[] {
  if (text === "") return () => [];
  const pattern = spellingsPattern(spellingsOf(text));
  return (span) => {
    const matches: TextMatch[] = [];
    for (const [field, value] of fieldsOf(span)) {
      let left = maxMatchesPerField;
      for (const { index, 0: found } of value.matchAll(pattern)) {
        if (left-- === 0) break;
        matches.push({
          field,
          offset: index,
          length: found.length,
          ...snippetAt(value, index, found.length),
        });
      }
    }
    return matches;
  };
}

function* fieldsOf({ name, statusMessage, attributes, events }: Span): Generator<[string, string]> {
  yield ["name", name];
  yield ["status_message", statusMessage];
  yield* Object.entries(attributes);
  for (const [i, event] of events.entries()) {
    for (const [key, value] of Object.entries(event.attributes)) {
      yield [`events.${i}.${key}`, value];
    }
  }
}

function snippetAt(text: string, offset: number, length: number) {
  let start = Math.max(0, offset - snippetMarginChars);
  let end = Math.min(text.length, offset + length + snippetMarginChars);
  // A character outside the basic plane is two code units: do not begin or end inside one.
  if (isSecondHalf(text, start)) start--;
  if (isSecondHalf(text, end)) end++;
  return { snippet: text.slice(start, end), snippetOffset: offset - start };
}

function isSecondHalf(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function matchesAttribute({ attributes }: Span, filter: AttributeFilter): boolean {
  const value = attributes[filter.key];
  return value !== undefined && equals(value, filter.equals) && contains(value, filter.contains);
}

function equals(value: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || value?.toLowerCase() === wanted.toLowerCase();
}

function contains(value: string | undefined, part: string | undefined): boolean {
  return part === undefined || (value ?? "").toLowerCase().includes(part.toLowerCase());
}
