import type { SpanPage, SpanSearch } from "./client.js";
import { parseBody } from "./parse-body.js";
import type { Reader } from "./reader.js";
import { routes } from "./routes.js";
import { spanPageSchema } from "./schemas.js";

/** The most that the route gives. */
const PAGE_SIZE = 100;

/** Reads a page of `GET /v4/spans/search`; undefined where the deployment does not have it. */
export async function readSpanPage(
  reader: Reader,
  search: SpanSearch,
): Promise<SpanPage | undefined> {
  const path = `/v4/spans/search?${wireQuery(search)}`;
  const answer = await reader.firstAnswer([{ route: routes.spanSearch, path }]);
  if (!answer) return undefined;
  const { spans, next_cursor } = parseBody(spanPageSchema, answer.body);
  return {
    traceIds: spans.map(({ trace_id }) => trace_id),
    nextCursor: next_cursor ?? undefined,
  };
}

function wireQuery(search: SpanSearch): URLSearchParams {
  const { agentopsKind, minDurationMs, sinceUnixMs, attributes = [], ...texts } = search;
  const given = {
    ...texts,
    kind: agentopsKind,
    // Whole nanoseconds, and never an exponent, which the route does not read.
    min_duration_ms: minDurationMs?.toFixed(6),
    start_time: sinceUnixMs === undefined ? undefined : new Date(sinceUnixMs).toISOString(),
    limit: String(PAGE_SIZE),
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) query.set(name, value);
  }
  for (const { key, contains } of attributes) {
    query.append("attribute", contains === undefined ? key : `${key}=${contains}`);
  }
  return query;
}
