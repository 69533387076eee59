import type { FoundTraces, TraceQuery, TraceSort } from "./find-traces.js";
import { formatCount } from "./text.js";

/** Which of how many traces a list shows, and how far it was read where that is not to its end. */
export function listCoverage(found: FoundTraces): string {
  const { query, rows, isOfKnownRuns } = found;
  const { offset = 0, sort = "newest" } = query;
  const noun = isFiltered(query) ? "matching trace" : "trace";
  const where = isOfKnownRuns ? " in agentops.log" : "";
  // The cursor of a filtered list does not tell how many of the rows before it matched.
  const isCountedFromCursor = offset > 0 && sort === "newest" && isFiltered(query);
  if (rows.length === 0) {
    return `No ${offset > 0 ? "further " : ""}${noun}s${where}.${unreadText(found)}`;
  }
  const shown = rangeText(noun, isCountedFromCursor ? 0 : offset, rows.length);
  const { count, isExact } = matchCount(found);
  const of = `${isExact ? "" : "at least "}${formatCount(count)}`;
  const text = `${isCountedFromCursor ? "further " : ""}${shown} of ${of}${where}, ${orderNames[sort]}.`;
  return capitalized(text) + unreadText(found);
}

interface MatchCount {
  readonly count: number;
  /** False where the list was not read to its end: there may be more. */
  readonly isExact: boolean;
}

/** How many traces match; of a filtered list, newest first, those from its cursor on. */
export function matchCount({ query, total, matched, isComplete }: FoundTraces): MatchCount {
  const { offset = 0, sort = "newest" } = query;
  const isWholeList = sort === "newest" && !isFiltered(query);
  if (isWholeList && total !== undefined) return { count: total, isExact: true };
  return { count: matched + (isWholeList ? offset : 0), isExact: isComplete };
}

const orderNames: Readonly<Record<TraceSort, string>> = {
  newest: "newest first",
  slowest: "slowest first",
  costliest: "costliest first",
  most_errors: "most errors first",
  most_spans: "most spans first",
};

function isFiltered(query: TraceQuery): boolean {
  const { tags, errorsOnly, minDurationMs, minCostUsd } = query;
  const isByRow = [tags, minDurationMs, minCostUsd].some((part) => part !== undefined);
  return isByRow || errorsOnly === true || isPartOfList(query);
}

/** Servers heed these filters, each in its own way: what they call the total is of no use then. */
function isPartOfList({ sinceUnixMs, untilUnixMs, text }: TraceQuery): boolean {
  return [sinceUnixMs, untilUnixMs, text].some((part) => part !== undefined);
}

/** `trace 1`, `traces 6–10`. */
function rangeText(noun: string, before: number, count: number): string {
  const first = formatCount(before + 1);
  return count === 1 ? `${noun} ${first}` : `${noun}s ${first}–${formatCount(before + count)}`;
}

function unreadText(found: FoundTraces): string {
  const { query, scanned, total } = found;
  if (matchCount(found).isExact) return "";
  const of = total === undefined || isPartOfList(query) ? "" : ` of ${formatCount(total)}`;
  return ` Looked at ${formatCount(scanned)}${of} traces, newest first, and not at older ones.`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
