import type { SpanPage, SpanSearch } from "../api/client.js";
import type { SpanFilter } from "../trace/find.js";
import type { ToolContext } from "./define-tool.js";
import { type Moment, unixMsOf } from "./fields.js";
import { MORE } from "./read-traces.js";
import { formatCount, plural } from "./text.js";

export interface SpanQuestion {
  readonly filter: SpanFilter;
  readonly text: string | undefined;
  readonly since?: Moment | undefined;
  readonly until?: Moment | undefined;
  readonly query?: string | undefined;
  readonly max_traces: number;
}

export interface TracesWithMatch {
  /** Those of the newest matches first. */
  readonly traceIds: readonly string[];
  /** False when further traces may match too. */
  readonly isWholeWindow: boolean;
  /** Spans were asked for: a trace that began before this is outside the window. */
  readonly sinceUnixMs: number | undefined;
}

/** A page holds up to a hundred whole spans. */
const MAX_PAGES = 5;

/**
 * Has the database say which traces hold a match. Undefined where it cannot, and where a few traces
 * hold so many that reading the newest ones answers sooner.
 */
export async function tracesWithMatch(
  question: SpanQuestion,
  { client, signal, now }: ToolContext,
): Promise<TracesWithMatch | undefined> {
  const offered = needsTree(question) ? undefined : await client.capabilities(signal);
  if (!offered?.has("spans.search")) return undefined;

  const search = searchOf(question, now());
  const found = new Set<string>();
  let page: SpanPage | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages += 1) {
    page = await client.searchSpans({ ...search, cursor: page?.nextCursor }, signal);
    if (page === undefined) return undefined;
    for (const traceId of page.traceIds) found.add(traceId);

    // One trace more than enough tells that there are others.
    const isMore = found.size > question.max_traces;
    if (isMore || page.nextCursor === undefined) {
      const traceIds = [...found].slice(0, question.max_traces);
      return { traceIds, isWholeWindow: !isMore, sinceUnixMs: search.sinceUnixMs };
    }
  }
  return undefined;
}

/** What the database searched, and how many traces that is where it is known. */
export function searchedText(
  { isWholeWindow, traceIds, sinceUnixMs }: TracesWithMatch,
  searchedCount: number | undefined,
): string {
  if (isWholeWindow) {
    const inAll = searchedCount === undefined ? "" : `, ${formatCount(searchedCount)} in all`;
    return `The database searched every trace${sinceUnixMs === undefined ? "" : " of the window"}${inAll}.`;
  }
  return `The database searched newest first, until ${plural(traceIds.length, "trace")} matched: there may be more.${MORE}`;
}

/**
 * A span by itself does not know its agent, what its descendants account for of its cost, or its trace's
 * root and start. And AgentOps' answers turn a prompt that is one string into a message of the role user.
 */
function needsTree({ filter, text, until, query }: SpanQuestion): boolean {
  const { agent, minCostUsd, attributes = [] } = filter;
  return (
    [agent, minCostUsd, until, query].some((part) => part !== undefined) ||
    attributes.some(({ key }) => key.startsWith("gen_ai.prompt")) ||
    (text !== undefined && "user".includes(text.toLowerCase()))
  );
}

function searchOf({ filter, text, since }: SpanQuestion, nowUnixMs: number): SpanSearch {
  const { name, agentopsKind, model, tool, status, minDurationMs, attributes } = filter;
  const sinceUnixMs = since && unixMsOf(since, nowUnixMs);
  return { name, agentopsKind, model, tool, status, minDurationMs, attributes, text, sinceUnixMs };
}
