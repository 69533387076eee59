import * as z from "zod";
import { parseTrace } from "../api/parse-trace.js";
import { buildTree, type SpanTree } from "../trace/tree.js";
import { callText } from "./answer.js";
import { defineTool } from "./define-tool.js";
import { estimateTokens } from "./estimate-tokens.js";
import { cursor, maxTokens, spanId } from "./fields.js";
import { findSpan, safeId } from "./span-ids.js";
import { formatCount } from "./text.js";
import { resolveTraceId } from "./trace-ids.js";
import { renderTree } from "./tree-view.js";

type Detail =
  | { readonly view: "raw"; readonly body: string }
  | { readonly view: "tree"; readonly tree: SpanTree; readonly notice: string | undefined };

export const traceDetail = defineTool({
  name: "trace_detail",
  title: "Trace detail",
  description:
    "Returns one trace with all its spans, metadata and timing as raw JSON; a trace too long for that comes as a tree, which says how to get the rest.",
  answersRaw: true,
  input: z.strictObject({
    trace_id: z
      .string()
      .min(1)
      .describe(
        "The trace_id of a listed trace; its first 6+ characters or a dashboard URL also do.",
      ),
    view: z
      .enum(["auto", "raw", "tree"])
      .default("auto")
      .describe("auto: raw if short enough, else tree."),
    focus_span_id: spanId.optional().describe("Tree: only what hangs below this span."),
    depth: z.int().min(0).max(100).optional().describe("Tree: levels shown."),
    max_tokens: maxTokens,
    cursor,
  }),

  async run(args, { client, signal, limits }): Promise<Detail> {
    const { trace_id, view } = args;
    const { body } = await client.traceDetail(
      await resolveTraceId(trace_id, client, signal),
      signal,
    );
    const isTreeAsked =
      view === "tree" ||
      [args.focus_span_id, args.depth, args.cursor].some((arg) => arg !== undefined);
    const isShort = estimateTokens(body, limits.maxRawTokens) <= limits.maxRawTokens;
    if (view === "raw" || (view === "auto" && isShort && !isTreeAsked))
      return { view: "raw", body };

    const tree = buildTree(parseTrace(body));
    return {
      view: "tree",
      tree,
      notice: isTreeAsked ? undefined : tooLong(tree, limits.maxRawTokens),
    };
  },

  format(detail, args) {
    if (detail.view === "raw") return detail.body;
    const { tree, notice } = detail;
    const { focus_span_id, depth, max_tokens, cursor } = args;
    const focus = focus_span_id === undefined ? undefined : findSpan(tree, focus_span_id);
    return renderTree(tree, { maxTokens: max_tokens, maxDepth: depth, focus, cursor, notice });
  },
});

function tooLong({ trace }: SpanTree, maxRawTokens: number): string {
  const call = callText("trace_detail", { trace_id: safeId(trace.traceId), view: "raw" });
  return `This trace is longer than ${formatCount(maxRawTokens)} tokens of JSON, so here is its tree. All of it as JSON: ${call}`;
}
