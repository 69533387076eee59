import type { TracePage } from "../api/client.js";
import { ApiError, orApiError } from "../api/errors.js";
import type { ToolContext } from "./define-tool.js";
import type { FoundTraces, TraceQuery } from "./find-traces.js";
import { listCoverage } from "./list-coverage.js";
import { formatTime, plural } from "./text.js";

/** A list without a trace, and what tells why. */
export interface Nothing {
  readonly found: FoundTraces;
  /** The newest trace there is, and how many; undefined where they cannot be listed. */
  readonly project: TracePage | undefined;
  /** The window has not begun. */
  readonly isInFuture: boolean;
}

export async function readNothing(
  found: FoundTraces,
  { client, signal, now }: ToolContext,
): Promise<Nothing> {
  // That it cannot be read is no reason to fail: what was asked for is known not to be there.
  const page = await orApiError(client.listPage({ limit: 1, offset: 0 }, signal));
  return {
    found,
    project: page instanceof ApiError ? undefined : page,
    isInFuture: (found.query.sinceUnixMs ?? 0) > now(),
  };
}

/** What the project has, which part of the question is at fault, and what to ask instead. */
export function nothingText({ found, project, isInFuture }: Nothing): string {
  const { query } = found;
  const isPastEnd = (query.offset ?? 0) > 0;
  return [
    listCoverage(found),
    projectText(project),
    isInFuture ? "`since` is in the future." : beforeSince(query, project),
    isPastEnd ? "The cursor is past the end: leave it out to start again." : nextText(query),
    isInFuture || isPastEnd || query.untilUnixMs !== undefined ? "" : NOT_ARRIVED,
  ]
    .filter(Boolean)
    .join(" ");
}

const NOT_ARRIVED =
  "A run that has just ended can take ten seconds to arrive: wait_for_trace waits for it.";

function projectText(project: TracePage | undefined): string {
  if (project === undefined) return "";
  const { rows, total, isOfKnownRuns } = project;
  const [newest] = rows;
  const owner = isOfKnownRuns ? "This machine's agentops.log" : "The project";
  if (newest === undefined) return `${owner} has no traces.`;
  const newestText = `newest started ${formatTime(newest.startUnixMs)}`;
  return total === undefined
    ? `${owner} has traces, the ${newestText}.`
    : `${owner} has ${plural(total, "trace")}, the ${newestText}.`;
}

function beforeSince({ sinceUnixMs = 0 }: TraceQuery, project: TracePage | undefined): string {
  const newestUnixMs = project?.rows[0]?.startUnixMs ?? sinceUnixMs;
  return newestUnixMs < sinceUnixMs ? "None started after `since`." : "";
}

function nextText(query: TraceQuery): string {
  const ways = [
    query.sinceUnixMs !== undefined && "with an earlier since",
    query.untilUnixMs !== undefined && "with a later until",
    query.text !== undefined && "without query",
    query.tags !== undefined && "without tags",
    query.errorsOnly === true && "without errors_only",
    query.minDurationMs !== undefined && "with a smaller min_duration_ms",
    query.minCostUsd !== undefined && "with a smaller min_cost_usd",
  ].filter((way) => way !== false);
  return ways.length === 0 ? "" : `Next: the same call ${ways.join(", or ")}.`;
}
