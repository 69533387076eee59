import { errorOf } from "../trace/errors.js";
import { modelOf } from "../trace/semconv.js";
import type { Span } from "../trace/trace.js";
import type { SpanNode } from "../trace/tree.js";
import type { Cost, Usage } from "../trace/usage.js";
import { excerpt } from "./recorded-text.js";
import { formatCount, formatDuration, formatUsd, plural } from "./text.js";

/** Longest name and longest error message on a line, in characters. */
const MAX_NAME_CHARS = 80;
export const MAX_MESSAGE_CHARS = 160;

/** One span on one line: kind, name, model, duration, what it used itself, its links, its error, and its id. */
export function spanLine(node: SpanNode, id: string, error = errorText(node.span)): string {
  const { span, own } = node;
  const facts = [
    spanTitle(node),
    formatDuration(span.durationMs),
    usageText(own),
    linksText(span),
    error,
    `[${id}]`,
  ];
  return facts.filter(Boolean).join(" ");
}

/** get_spans shows where they lead. */
function linksText({ links }: Span): string {
  return links.length === 0 ? "" : plural(links.length, "link");
}

/** Kind and name, and the model where the name does not say it. */
export function spanTitle({ span, kind }: Pick<SpanNode, "span" | "kind">): string {
  const name = excerpt(span.name, MAX_NAME_CHARS) || "(unnamed)";
  const model = kind === "llm" ? modelOf(span) : undefined;
  const parts = [kind === "unknown" ? "span" : kind, name];
  if (model !== undefined && !name.includes(model)) parts.push(excerpt(model, MAX_NAME_CHARS));
  return parts.join(" ");
}

/** `912+88 tok $0.0012`: input and output; what is nothing is left out. */
export function usageText(usage: Usage): string {
  const { tokens } = usage;
  const counted = tokens.total > 0 ? `${tokenText(tokens)} tok` : "";
  return [counted, spentText(usage)].filter(Boolean).join(" ");
}

/** As {@link costText}; empty for nothing. */
export function spentText(cost: Cost): string {
  const text = costText(cost);
  return text === "$0" ? "" : text;
}

/** `$0.02`; `≥$0.02` where calls without a known price come on top, and `$?` where those are all. */
export function costText({ costUsd = 0, unpricedCount }: Cost): string {
  const text = formatUsd(costUsd);
  if (unpricedCount === 0) return text;
  if (text === "$0") return "$?";
  return unpricedCount === undefined ? text : `≥${text}`;
}

function tokenText({ input, output, total }: Usage["tokens"]): string {
  const hasParts = input + output > 0;
  return hasParts ? `${formatCount(input)}+${formatCount(output)}` : formatCount(total);
}

/** `ERROR KeyError: 'x'`; empty on a span that did not fail. */
export function errorText(span: Span): string {
  const error = errorOf(span);
  if (error === undefined) return "";
  const text = [error.type, error.message].filter(Boolean).join(": ");
  return `ERROR ${excerpt(text, MAX_MESSAGE_CHARS)}`.trimEnd();
}
