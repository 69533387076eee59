import * as z from "zod";
import type { TraceLog } from "../api/client.js";
import { callText, renderAnswer } from "./answer.js";
import { defineTool } from "./define-tool.js";
import { cursor, maxTokens, searchText, traceId } from "./fields.js";
import { payloadLines } from "./payload.js";
import { safeId } from "./span-ids.js";
import { plural } from "./text.js";
import { resolveTraceId } from "./trace-ids.js";

export const traceLogs = defineTool({
  name: "trace_logs",
  title: "Trace logs",
  description:
    "Returns what the traced program printed during a run, where the SDK uploaded it, page by page or only the lines with a text. Use search_spans for text inside spans.",
  input: z.strictObject({
    trace_id: traceId,
    grep: searchText.optional().describe("Only lines with this text, any case."),
    max_tokens: maxTokens,
    cursor,
  }),

  async run({ trace_id }, { client, signal }): Promise<TraceLog> {
    return client.traceLog(await resolveTraceId(trace_id, { client, signal }, "trace_id"), signal);
  },

  format({ text, isTruncatedByPlan }, { trace_id, grep, max_tokens, cursor: skipped = 0 }) {
    const all = payloadLines(text);
    const wanted = grep?.toLowerCase();
    const lines =
      wanted === undefined ? all : all.filter((line) => line.toLowerCase().includes(wanted));
    const found = wanted === undefined ? "" : `, ${plural(lines.length, "line")} with the text`;
    const call = (shown: number) =>
      callText("trace_logs", {
        trace_id: safeId(trace_id),
        ...(grep !== undefined && { grep }),
        cursor: String(skipped + shown),
      });
    return renderAnswer(
      {
        head: [`${plural(all.length, "line")} printed${found}.`],
        sections: [{ lines: lines.slice(skipped), rest: call }],
        foot: isTruncatedByPlan ? ["The account's plan cuts this log after its first lines."] : [],
      },
      max_tokens,
    );
  },
});
