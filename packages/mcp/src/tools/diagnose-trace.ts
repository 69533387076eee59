import * as z from "zod";
import { buildTree, type SpanTree } from "../trace/tree.js";
import { callText, renderAnswer, type Section } from "./answer.js";
import { defineTool } from "./define-tool.js";
import { diagnosis } from "./diagnosis.js";
import { maxTokens, traceId } from "./fields.js";
import { safeId, shortSpanIds } from "./span-ids.js";
import { tagLines, traceHead } from "./trace-head.js";
import { resolveTraceId } from "./trace-ids.js";

interface Diagnosed {
  readonly tree: SpanTree;
  readonly dashboardUrl: string | undefined;
}

export const diagnoseTrace = defineTool({
  name: "diagnose_trace",
  title: "Diagnose trace",
  description:
    "Explains one run: errors with the path that led there and the line of code that raised them, what made it slow and what cost most, repeated calls, retries and loops, spending after the first failure, prompt growth. Use find_failures across runs.",
  input: z.strictObject({ trace_id: traceId, max_tokens: maxTokens }),

  async run({ trace_id }, { client, signal }): Promise<Diagnosed> {
    const id = await resolveTraceId(trace_id, { client, signal }, "trace_id");
    const tree = buildTree(await client.getTrace(id, signal));
    return { tree, dashboardUrl: client.dashboardUrl(id) };
  },

  format({ tree, dashboardUrl }, { max_tokens }) {
    const id = safeId(tree.trace.traceId);
    const wider = callText("diagnose_trace", { trace_id: id, max_tokens: max_tokens * 2 });
    const findings = diagnosis(tree, shortSpanIds(tree.trace));
    const sections: Section[] = [
      { lines: tagLines(tree), rest: () => wider },
      ...findings.map((finding) => ({ ...finding, rest: () => wider })),
    ];
    const open = callText("get_spans", { trace_id: id, span_ids: ["<id in brackets>"] });
    return renderAnswer(
      { head: traceHead(tree, dashboardUrl), sections, foot: [`What went in and out: ${open}`] },
      max_tokens,
    );
  },
});
