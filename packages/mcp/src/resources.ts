import {
  type McpServer,
  ResourceNotFoundError,
  ResourceTemplate,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { AgentOpsClient } from "./api/client.js";
import { ApiError, orApiError } from "./api/errors.js";
import { isRecord, parseJson } from "./trace/json.js";

/** How many of the newest traces completion looks through. */
const COMPLETED_TRACES = 100;

/**
 * The raw JSON of traces and spans, whatever its size, for hosts that attach resources. They carry no
 * credential of their own: `connect` binds the configured one.
 */
export function registerResources(server: McpServer, connect: () => AgentOpsClient): void {
  const completeTraceId = (begun: string) => idsThatBegin(begun, newestTraceIds(connect));
  const completeSpanId = (begun: string, context?: CompletionContext) =>
    idsThatBegin(begun, spanIdsOf(context?.arguments?.trace_id, connect));
  const json = { mimeType: "application/json" };

  server.registerResource(
    "trace",
    new ResourceTemplate("agentops://traces/{trace_id}", {
      list: undefined,
      complete: { trace_id: completeTraceId },
    }),
    { title: "Trace", description: "One trace with all its spans, as raw JSON.", ...json },
    async (uri, { trace_id }, context) => {
      const text = await readTrace(connect(), { uri, traceId: String(trace_id), context });
      return { contents: [{ uri: uri.href, ...json, text }] };
    },
  );

  server.registerResource(
    "span",
    new ResourceTemplate("agentops://traces/{trace_id}/spans/{span_id}", {
      list: undefined,
      complete: { trace_id: completeTraceId, span_id: completeSpanId },
    }),
    { title: "Span", description: "One span with its attributes, as raw JSON.", ...json },
    async (uri, { trace_id, span_id }, context) => {
      const body = await readTrace(connect(), { uri, traceId: String(trace_id), context });
      const span = spanIn(body, String(span_id));
      if (span === undefined) throw new ResourceNotFoundError(uri.href);
      return { contents: [{ uri: uri.href, ...json, text: JSON.stringify(span) }] };
    },
  );
}

interface TraceRead {
  readonly uri: URL;
  readonly traceId: string;
  readonly context: ServerContext;
}

async function readTrace(client: AgentOpsClient, { uri, traceId, context }: TraceRead) {
  const answer = await orApiError(client.traceDetail(traceId, context.mcpReq.signal));
  if (!(answer instanceof ApiError)) return answer.body;
  if (answer.code === "not_found") throw new ResourceNotFoundError(uri.href);
  // Protocol errors reach the client as they are: code, what happened and what to do, all ours.
  throw new Error(`${answer.code}: ${answer.message} ${answer.hint}`);
}

function spanIn(body: string, spanId: string): unknown {
  const trace = parseJson(body);
  const spans = isRecord(trace) && Array.isArray(trace.spans) ? trace.spans : [];
  return spans.find((span) => isRecord(span) && span.span_id === spanId);
}

/** Values that the user has chosen already. */
interface CompletionContext {
  readonly arguments?: Readonly<Record<string, string>>;
}

/** Completion is a convenience: where ids cannot be read, nothing is offered. */
async function idsThatBegin(begun: string, ids: Promise<readonly string[]>): Promise<string[]> {
  try {
    return (await ids).filter((id) => id.startsWith(begun));
  } catch {
    return [];
  }
}

async function newestTraceIds(connect: () => AgentOpsClient): Promise<readonly string[]> {
  const page = { limit: COMPLETED_TRACES, offset: 0 };
  const { rows } = await connect().listPage(page, new AbortController().signal);
  return rows.map(({ traceId }) => traceId);
}

async function spanIdsOf(
  traceId: string | undefined,
  connect: () => AgentOpsClient,
): Promise<readonly string[]> {
  if (traceId === undefined) return [];
  const { spans } = await connect().getTrace(traceId, new AbortController().signal);
  return spans.map(({ spanId }) => spanId);
}
