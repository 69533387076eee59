import { createTextFinder, matchesFilter, type SpanFilter, type TextMatch } from "../trace/find.js";
import type { Span, Trace } from "../trace/trace.js";
import { buildTree, type SpanNode, type SpanTree } from "../trace/tree.js";
import { grepPayload, payloadsOf } from "./payload.js";
import { excerpt } from "./recorded-text.js";
import { shortSpanIds } from "./span-ids.js";
import { spanLine } from "./span-line.js";

/** What matches in one trace. */
export interface TraceMatches {
  readonly traceId: string;
  readonly startUnixMs: number;
  readonly rootName: string;
  readonly matchCount: number;
  /** The first matches, as clean lines. */
  readonly lines: readonly string[];
}

export interface Search {
  readonly filter: SpanFilter;
  readonly text: string | undefined;
  /** Most lines. */
  readonly limit: number;
}

export function matchesIn(trace: Trace, { filter, text, limit }: Search): TraceMatches {
  const tree = buildTree(trace);
  const idOf = shortSpanIds(trace);
  const find = text === undefined ? undefined : createTextFinder(text);
  let matchCount = 0;
  const lines: string[] = [];
  for (const node of tree.nodes) {
    if (!matchesFilter(node, filter)) continue;
    const [match] = find?.(node.span) ?? [];
    if (find !== undefined && match === undefined) continue;
    matchCount += 1;
    if (lines.length < limit) lines.push(matchLine(node, idOf(node.span.spanId), match));
  }
  return {
    traceId: trace.traceId,
    startUnixMs: trace.spans[0]?.startUnixMs ?? 0,
    rootName: excerpt(rootNameOf(tree), MAX_ROOT_NAME_CHARS),
    matchCount,
    lines,
  };
}

const MAX_ROOT_NAME_CHARS = 60;

function rootNameOf({ roots }: SpanTree): string {
  return roots[0]?.span.name ?? "";
}

const MAX_FIELD_CHARS = 60;
const isOnTheLine: ReadonlySet<string> = new Set(["name", "status_message"]);

/** The span, and where the text first occurs in it. */
function matchLine(node: SpanNode, id: string, match: TextMatch | undefined): string {
  const line = spanLine(node, id);
  if (match === undefined || isOnTheLine.has(match.field)) return line;
  return `${line} ${excerpt(match.field, MAX_FIELD_CHARS)}: ${snippetOf(node.span, match)}`;
}

/** Cut out of the clean text: a snippet of the recorded one may begin in the middle of a key. */
function snippetOf(span: Span, match: TextMatch): string {
  const payload = payloadsOf(span).find(({ path }) => path === match.field);
  const wanted = match.snippet.slice(match.snippetOffset, match.snippetOffset + match.length);
  const [found] = payload === undefined ? [] : grepPayload(payload, wanted);
  return found ?? "";
}
