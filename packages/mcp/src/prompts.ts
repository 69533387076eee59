import type { McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";

// Made once: over HTTP every request makes a server.
const argsOf = {
  debug_failed_run: z.object({
    trace_id: z.string().optional().describe("The run; the latest that failed if left out."),
  }),
  review_cost: z.object({
    since: z.string().optional().describe("How far back, such as 24h or 7d. Default: 7d."),
  }),
  compare_runs: z.object({
    a: z.string().describe("Trace id of the run before."),
    b: z.string().describe("Trace id of the run after."),
  }),
};

/** Ways to work with the tools that users can start by name. */
export function registerPrompts(server: McpServer): void {
  server.registerPrompt(
    "debug_failed_run",
    {
      title: "Debug a failed run",
      description: "Finds out why a run failed and what to change.",
      argsSchema: argsOf.debug_failed_run,
    },
    ({ trace_id }) =>
      ask(`Find out why ${trace_id ? `the AgentOps run ${trace_id}` : "my latest failed AgentOps run"} failed.
${trace_id ? "" : 'Find it with list_traces {"errors_only":true,"limit":1}. '}Call diagnose_trace on it. Where an error needs explaining, read the failed span and the model call before it with get_spans, and what the agent had seen by then with trace_detail, view conversation.
Tell me the cause, the evidence (span ids) and the smallest change to my code that prevents it. Look at the code, first at the line the error was raised at, before you propose it.`),
  );

  server.registerPrompt(
    "review_cost",
    {
      title: "Review cost",
      description: "Finds where recent runs spend tokens and money in vain.",
      argsSchema: argsOf.review_cost,
    },
    ({ since }) => {
      const window = JSON.stringify({ since: since ?? "7d", max_traces: 50 });
      return ask(`Review what my AgentOps runs cost.
Call trace_metrics with ${window} grouped by model, then by agent. Take the two costliest runs (list_traces, sort costliest) and call diagnose_trace on each: look at repeated calls, loops, spending after the first failure and prompt growth.
Tell me the three savings with the largest effect, with figures, and say how many runs they rest on.`);
    },
  );

  server.registerPrompt(
    "compare_runs",
    {
      title: "Compare two runs",
      description: "Says what changed between two runs and whether it got better.",
      argsSchema: argsOf.compare_runs,
    },
    ({ a, b }) =>
      ask(`Compare two AgentOps runs with compare_traces ${JSON.stringify({ a, b })}.
If they do not compare, say so and stop. Otherwise tell me where they part first and why, what changed in prompts, arguments and models, and whether the run got cheaper, faster or more reliable. Two runs prove nothing about chance: say what would.`),
  );
}

function ask(text: string) {
  return { messages: [{ role: "user" as const, content: { type: "text" as const, text } }] };
}
