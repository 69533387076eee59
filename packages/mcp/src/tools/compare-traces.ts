import * as z from "zod";
import { compareTraces as compare, type TraceComparison } from "../trace/compare.js";
import { buildTree, type SpanTree } from "../trace/tree.js";
import { callText, renderAnswer } from "./answer.js";
import { comparisonLines, deltaLines, verdictLines } from "./comparison.js";
import { defineTool } from "./define-tool.js";
import { maxTokens, traceId } from "./fields.js";
import { safeId, shortSpanIds } from "./span-ids.js";
import { gapLines } from "./trace-head.js";
import { resolveTraceId } from "./trace-ids.js";

interface Compared {
  readonly comparison: TraceComparison;
  readonly a: SpanTree;
  readonly b: SpanTree;
}

export const compareTraces = defineTool({
  name: "compare_traces",
  title: "Compare traces",
  description:
    "Says what changed from run a to run b: whether they compare at all, the first step that differs, changed prompts, arguments, results and models, steps only one took, and differences in time, tokens and cost.",
  input: z.strictObject({ a: traceId, b: traceId, max_tokens: maxTokens }),

  async run(args, { client, signal }): Promise<Compared> {
    const read = async (argument: "a" | "b") => {
      const id = await resolveTraceId(args[argument], { client, signal }, argument);
      return buildTree(await client.getTrace(id, signal));
    };
    const [a, b] = await Promise.all([read("a"), read("b")]);
    return { comparison: compare(a, b), a, b };
  },

  format({ comparison, a, b }, { max_tokens }) {
    const ids = { a: safeId(a.trace.traceId), b: safeId(b.trace.traceId) };
    const idsOf = { a: shortSpanIds(a.trace), b: shortSpanIds(b.trace) };
    const wider = () => callText("compare_traces", { ...ids, max_tokens: max_tokens * 2 });
    return renderAnswer(
      {
        head: [
          `a is ${ids.a}, b is ${ids.b}`,
          ...gapLines(a).map((line) => `a: ${line}`),
          ...gapLines(b).map((line) => `b: ${line}`),
          ...verdictLines(comparison),
          ...deltaLines(comparison),
        ],
        sections: comparisonLines(comparison, idsOf).map((finding) => ({
          ...finding,
          rest: wider,
        })),
        foot: [
          `A span of a in full: ${callText("get_spans", { trace_id: ids.a, span_ids: ["<id in brackets>"] })}; of b: trace_id ${ids.b}`,
        ],
      },
      max_tokens,
    );
  },
});
