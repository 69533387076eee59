import * as z from "zod";
import { defineTool } from "./define-tool.js";

export const listTraces = defineTool({
  name: "list_traces",
  title: "List traces",
  description:
    "Lists the most recent traces, newest first: trace id, span count, start and end time, and the total. Use trace_detail for one of them.",
  answersRaw: true,
  input: z.strictObject({
    limit: z.int().min(1).max(100).default(5).describe("How many traces to return, 1 to 100."),
  }),

  run({ limit }, { client, signal }) {
    return client.listTraces({ limit }, signal);
  },

  format({ body }) {
    return body;
  },
});
