import { traceIdOf } from "../packages/mcp/test/runs/run.js";

/** Asks a tool and returns the text of its answer. */
export type Ask = (tool: string, args?: Record<string, unknown>) => Promise<string>;

export interface Question {
  readonly question: string;
  /** The calls a developer's assistant makes. Later arguments come from earlier answers alone. */
  readonly calls: (ask: Ask) => Promise<unknown>;
  /** Each must occur in the answers: without it the question is not answered. */
  readonly answeredBy: readonly RegExp[];
  /** The runs whose complete dump would be needed without these tools. */
  readonly dumps: readonly string[];
}

/** The n-th trace id of a table. */
function traceIdIn(table: string, index = 0): string {
  return [...table.matchAll(/^[0-9a-f]{32}/gm)][index]?.[0] ?? "";
}

/** The id in brackets on the first line that matches. */
function spanIdIn(text: string, line: RegExp): string {
  const found = text.split("\n").find((each) => line.test(each));
  return [...(found ?? "").matchAll(/\[([0-9a-f]{6,16})\]/g)].at(-1)?.[1] ?? "";
}

const bookings = ["booking-1", "booking-2", "booking-3", "booking-4", "booking-5", "booking-6"];
const week = [...bookings, "song-before", "song-after", "bridge", "nightly-fine", "nightly-failed"];
const id = traceIdOf;

const nightly = id("nightly-failed");

export const questions: readonly Question[] = [
  {
    question: "Which run failed last night, and why?",
    calls: async (ask) => {
      const failed = await ask("list_traces", { since: "16h", errors_only: true });
      await ask("diagnose_trace", { trace_id: traceIdIn(failed) });
    },
    answeredBy: [
      new RegExp(nightly),
      /TimeoutError: upload of report-0042.pdf timed out/,
      /ended the run/,
    ],
    dumps: ["song-after", "bridge", "nightly-failed"],
  },
  {
    question: "Which line of my code keeps failing?",
    calls: (ask) => ask("find_failures", { since: "7d" }),
    answeredBy: [/PaymentDeclined: .* raised at \/app\/agent\.py:42 in run/],
    dumps: week,
  },
  {
    question: "What did my last run do?",
    calls: async (ask) => {
      const last = await ask("list_traces", { limit: 1, view: "table" });
      await ask("trace_detail", { trace_id: traceIdIn(last), view: "tree" });
    },
    answeredBy: [/Website Researcher/, /Songwriter/, /gpt-4o-mini/],
    dumps: ["song-after"],
  },
  {
    question: "Which call used the most tokens in last night's run?",
    calls: (ask) => ask("diagnose_trace", { trace_id: nightly }),
    answeredBy: [/what cost most/, /18,000\+900 tok/],
    dumps: ["nightly-failed"],
  },
  {
    question: "What did the planner get as its prompt before it went wrong?",
    calls: async (ask) => {
      const calls = await ask("search_spans", {
        trace_id: nightly,
        agent: "Planner",
        kind: "llm",
        limit: 3,
      });
      const span = spanIdIn(calls, /18,000\+900/);
      await ask("get_spans", {
        trace_id: nightly,
        span_ids: [span],
        path: "gen_ai.prompt",
        max_tokens: 1_500,
      });
    },
    answeredBy: [/You plan which reports to write/, /Never upload before the checks/],
    dumps: ["nightly-failed"],
  },
  {
    question: "What made last night's run slow?",
    calls: (ask) => ask("diagnose_trace", { trace_id: nightly }),
    answeredBy: [/critical path/, /30 s tool upload\.tool/],
    dumps: ["nightly-failed"],
  },
  {
    question: "Did my change to the song crew make it cheaper?",
    calls: (ask) => ask("compare_traces", { a: id("song-before"), b: id("song-after") }),
    answeredBy: [/cost \$0\.\d+ → \$0\.\d+ \(-\d+ %\)/, /tokens out 2,100 → 540/],
    dumps: ["song-before", "song-after"],
  },
  {
    question: "What changed in the songwriter's prompt?",
    calls: (ask) => ask("compare_traces", { a: id("song-before"), b: id("song-after") }),
    answeredBy: [/a: .*long, rhyming songs of twenty verses/, /b: .*short songs of two verses/],
    dumps: ["song-before", "song-after"],
  },
  {
    question: "Which model did each of the two song runs use?",
    calls: (ask) =>
      ask("trace_metrics", { trace_ids: [id("song-before"), id("song-after")], group_by: "model" }),
    answeredBy: [/gpt-4o-2024-08-06 \| 2/, /gpt-4o-mini-2024-07-18 \| 2/, /2 of 2 traces read/],
    dumps: ["song-before", "song-after"],
  },
  {
    question: "Which error is most common this week?",
    calls: (ask) => ask("find_failures", { since: "7d" }),
    answeredBy: [/3× in 3 runs.*PaymentDeclined/, /11 of 11 traces read/],
    dumps: week,
  },
  {
    question: "When did the declined payments begin, and when was the last one?",
    calls: (ask) => ask("find_failures", { since: "7d", query: "travel-desk" }),
    answeredBy: [/PaymentDeclined.*first \d{4}-\d\d-\d\d .*last \d{4}-\d\d-\d\d/],
    dumps: bookings,
  },
  {
    question: "What do the failing bookings have in common?",
    calls: (ask) => ask("find_failures", { since: "7d", query: "travel-desk" }),
    answeredBy: [/3 of 6 traces failed/, /in tool charge_card/],
    dumps: bookings,
  },
  {
    question: "Why did the agent call the same tool again and again?",
    calls: async (ask) => {
      await ask("diagnose_trace", { trace_id: id("bridge") });
    },
    answeredBy: [
      /6 rounds of tool search/,
      /6× tool search\(.*bridge Kiel built/,
      /same output each time/,
    ],
    dumps: ["bridge"],
  },
  {
    question: "Why does the prompt of the bridge run grow so much?",
    calls: (ask) => ask("diagnose_trace", { trace_id: id("bridge") }),
    answeredBy: [/prompt growth/, /400 → 5,800 prompt tok over 7 calls/],
    dumps: ["bridge"],
  },
  {
    question: "What did the model see at the last step of the bridge run?",
    calls: (ask) => ask("trace_detail", { trace_id: id("bridge"), view: "conversation" }),
    answeredBy: [
      /You answer from search results only/,
      /I could not find it/,
      /No result for this query/,
    ],
    dumps: ["bridge"],
  },
  {
    question: "How much did everything cost this week, by model?",
    calls: (ask) => ask("trace_metrics", { since: "7d", group_by: "model", max_traces: 100 }),
    answeredBy: [
      /gpt-4o-mini-2024-07-18 \| \d+/,
      /gpt-4o-2024-08-06 \| \d+/,
      /\$\d/,
      /11 of 11 traces read/,
    ],
    dumps: week,
  },
  {
    question: "How often do my runs fail?",
    calls: (ask) => ask("trace_metrics", { since: "7d", max_traces: 100 }),
    answeredBy: [/all \| 11 \| 4 \(36 %\)/],
    dumps: week,
  },
  {
    question: "How many runs were there each day, and did they fail?",
    calls: (ask) => ask("trace_metrics", { since: "7d", group_by: "day", max_traces: 100 }),
    answeredBy: [/\d{4}-\d\d-\d\d \| \d+ \| \d/],
    dumps: week,
  },
  {
    question: "Which tool is slowest, and which one fails?",
    calls: (ask) => ask("trace_metrics", { since: "7d", group_by: "tool", max_traces: 100 }),
    answeredBy: [/upload \| 1 \| 1 \(100 %\) \| 30 s/, /charge_card \| 6 \| 3 \(50 %\)/],
    dumps: week,
  },
  {
    question: "Which agent costs most?",
    calls: (ask) => ask("trace_metrics", { since: "7d", group_by: "agent", max_traces: 100 }),
    answeredBy: [/Planner \| 2 .*\$0\.\d+/, /Songwriter \| 2/],
    dumps: week,
  },
  {
    question: "What were the arguments of the tool call that failed?",
    calls: async (ask) => {
      const found = await ask("search_spans", { trace_id: nightly, status: "error", kind: "tool" });
      await ask("get_spans", { trace_id: nightly, span_ids: [spanIdIn(found, /upload/)] });
    },
    answeredBy: [/report-0042\.pdf/, /retries/],
    dumps: ["nightly-failed"],
  },
  {
    question: "Where does the file report-0042.pdf occur?",
    calls: (ask) => ask("search_spans", { text: "report-0042.pdf", since: "7d" }),
    answeredBy: [/\d spans in 1 trace match/, new RegExp(nightly)],
    dumps: week,
  },
  {
    question: "Which runs took longer than a minute?",
    calls: (ask) => ask("list_traces", { since: "7d", min_duration_ms: 50_000, sort: "slowest" }),
    answeredBy: [new RegExp(nightly), new RegExp(id("nightly-fine"))],
    dumps: week,
  },
  {
    question: "What was the costliest run of the week?",
    calls: async (ask) => {
      const costs = await ask("list_traces", { since: "7d", sort: "costliest", limit: 1 });
      await ask("trace_metrics", { trace_ids: [traceIdIn(costs)] });
    },
    answeredBy: [new RegExp(nightly), /\$0\.\d/],
    dumps: week,
  },
  {
    question: "What happened step by step in the failed booking, and who handed over to whom?",
    calls: (ask) => ask("trace_detail", { trace_id: id("booking-6"), view: "timeline" }),
    answeredBy: [/handoff/, /Booking Agent/, /charge_card.*ERROR PaymentDeclined/],
    dumps: ["booking-6"],
  },
  {
    question: "What differs between a booking that worked and one that failed?",
    calls: (ask) => ask("compare_traces", { a: id("booking-5"), b: id("booking-6") }),
    answeredBy: [/The runs compare/, /status ok → failed/, /PaymentDeclined/],
    dumps: ["booking-5", "booking-6"],
  },
  {
    question: "How much was spent after the first failure in last night's run?",
    calls: (ask) => ask("diagnose_trace", { trace_id: nightly }),
    answeredBy: [/1 span, .*\$0\.054 were spent after the first failure/],
    dumps: ["nightly-failed"],
  },
  {
    question: "Has my run arrived yet?",
    calls: (ask) => ask("wait_for_trace", { trace_id: id("song-after"), timeout_s: 10 }),
    answeredBy: [/(?:arrived after|was already there)/, /7 spans/],
    dumps: ["song-after"],
  },
];
