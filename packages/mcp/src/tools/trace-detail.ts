import * as z from "zod";
import { defineTool } from "./define-tool.js";

export const traceDetail = defineTool({
  name: "trace_detail",
  title: "Trace detail",
  description:
    "Returns one trace with all its spans, metadata and timing as raw JSON; a trace too long for that comes as a tree, which says how to get the rest.",
  answersRaw: true,
  input: z.strictObject({
    trace_id: z.string().min(1).describe("The trace_id of a listed trace."),
  }),
  run({ trace_id }, { client, signal }) {
    return client.traceDetail(trace_id, signal);
  },
  format({ body }) {
    return body;
  },
});
