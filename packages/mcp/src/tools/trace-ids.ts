import { ApiError, orApiError } from "../api/errors.js";
import type { ToolContext } from "./define-tool.js";
import { MIN_ID_PREFIX } from "./span-ids.js";
import { ArgumentError } from "./tool-error.js";

/** How many of the newest traces a prefix is looked for in. */
const PREFIX_SEARCH_LIMIT = 100;

const PREFIX = new RegExp(`^[0-9a-f]{${MIN_ID_PREFIX},31}$`);
const WHOLE = /^[0-9a-f]{32}$/;
const TOO_SHORT = new RegExp(`^[0-9a-f]{1,${MIN_ID_PREFIX - 1}}$`);

/**
 * The id meant by a full id, by the first 6 or more characters of a recent one, or by a dashboard URL.
 * What looks like none of them is taken for an id: servers may name traces as they like.
 *
 * @throws ArgumentError about `argument` where a prefix is too short, or fits several recent traces
 */
export async function resolveTraceId(
  text: string,
  { client, signal }: Pick<ToolContext, "client" | "signal">,
  argument: string,
): Promise<string> {
  const id = idInUrl(text) ?? text.trim();
  const prefix = id.toLowerCase();
  if (WHOLE.test(prefix)) return prefix;
  if (TOO_SHORT.test(prefix)) {
    throw new ArgumentError(argument, `Give ${MIN_ID_PREFIX} or more characters of it.`);
  }
  if (!PREFIX.test(prefix)) return id;

  const page = await orApiError(
    client.listPage({ limit: PREFIX_SEARCH_LIMIT, offset: 0, text: prefix }, signal),
  );
  // Where traces cannot be listed, it may yet be a whole id: the read that follows will tell.
  if (page instanceof ApiError) return id;

  const matches = page.rows.map((row) => row.traceId).filter((each) => each.startsWith(prefix));
  if (matches.includes(prefix)) return prefix;
  if (matches.length > 1) {
    throw new ArgumentError(argument, `${matches.length} recent traces begin with this id.`);
  }
  return matches[0] ?? id;
}

/** The id in `…?trace_id=<id>` or `…/traces/<id>`. */
function idInUrl(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.searchParams.get("trace_id") ?? /\/traces\/([\w-]+)/.exec(url.pathname)?.[1];
}
