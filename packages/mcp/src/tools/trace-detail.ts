import * as z from "zod";
import { parseTrace } from "../api/parse-trace.js";
import { buildTree, type SpanTree } from "../trace/tree.js";
import { callText } from "./answer.js";
import { renderConversation } from "./conversation-view.js";
import { defineTool } from "./define-tool.js";
import { estimateTokens } from "./estimate-tokens.js";
import { cursor, maxTokens, spanId } from "./fields.js";
import { findSpan, safeId } from "./span-ids.js";
import { formatCount } from "./text.js";
import { renderTimeline } from "./timeline-view.js";
import { resolveTraceId } from "./trace-ids.js";
import { renderTree } from "./tree-view.js";

type Detail =
  | { readonly view: "raw"; readonly body: string }
  | {
      readonly view: "tree" | "timeline" | "conversation";
      readonly tree: SpanTree;
      readonly dashboardUrl: string | undefined;
      readonly notice?: string | undefined;
    };

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
      .enum(["auto", "raw", "tree", "timeline", "conversation"])
      .default("auto")
      .describe(
        "auto: raw if short enough, else tree. conversation: each model call as what is new.",
      ),
    focus_span_id: spanId.optional().describe("Only what hangs below this span."),
    depth: z.int().min(0).max(100).optional().describe("Levels shown."),
    max_tokens: maxTokens,
    cursor,
  }),

  async run({ trace_id, view, ...args }, { client, signal, limits }): Promise<Detail> {
    const id = await resolveTraceId(trace_id, { client, signal }, "trace_id");
    const dashboardUrl = client.dashboardUrl(id);
    if (view !== "auto" && view !== "raw") {
      return { view, tree: buildTree(await client.getTrace(id, signal)), dashboardUrl };
    }
    const { body } = await client.traceDetail(id, signal);
    const { maxRawTokens } = limits;
    const isPartAsked = [args.focus_span_id, args.depth, args.cursor].some(
      (arg) => arg !== undefined,
    );
    const isShort = !isPartAsked && estimateTokens(body, maxRawTokens) <= maxRawTokens;
    if (view === "raw" || isShort) return { view: "raw", body };

    const tree = buildTree(parseTrace(body));
    const notice = isPartAsked ? undefined : tooLong(tree, maxRawTokens);
    return { view: "tree", tree, dashboardUrl, notice };
  },

  format(detail, { focus_span_id, depth, max_tokens, cursor }) {
    if (detail.view === "raw") return detail.body;
    const { view, tree, dashboardUrl, notice } = detail;
    const focus =
      focus_span_id === undefined ? undefined : findSpan(tree, focus_span_id, "focus_span_id");
    const shown = { maxTokens: max_tokens, maxDepth: depth, focus, cursor };
    const options = { ...shown, dashboardUrl, notice };
    return renderers[view](tree, options);
  },
});

const renderers = {
  tree: renderTree,
  timeline: renderTimeline,
  conversation: renderConversation,
};

function tooLong({ trace }: SpanTree, maxRawTokens: number): string {
  const call = callText("trace_detail", { trace_id: safeId(trace.traceId), view: "raw" });
  return `This trace is longer than ${formatCount(maxRawTokens)} tokens of JSON, so here is its tree. All of it as JSON: ${call}`;
}
