import type { RaisedError, SampleSpan } from "./sample-span.js";
import { agent, chat, type Message, session, task, tool } from "./spans.js";

const model = "gpt-4o-mini";

const supportPrompt: readonly Message[] = [
  {
    role: "system",
    content: "You are the support agent of a bookshop. Look up before you answer.",
  },
  { role: "user", content: "Where is my order 10482? It was due on Tuesday." },
];

/** A run in which all goes well. */
export const supportRun: SampleSpan = session("support-bot", {
  tags: ["sample", "support-bot"],
  children: [
    agent("Support", {
      model,
      tools: ["lookup_order", "track_parcel"],
      children: [
        chat({
          model,
          prompt: supportPrompt,
          completion: "I will look the order up and then ask the carrier.",
          promptTokens: 212,
          completionTokens: 31,
          durationMs: 940,
        }),
        tool("lookup_order", {
          input: { order_id: "10482" },
          result: { status: "shipped", carrier: "Parcelway", tracking: "PW-77120" },
          durationMs: 65,
        }),
        tool("track_parcel", {
          input: { tracking: "PW-77120" },
          result: { location: "Utrecht depot", expected: "tomorrow" },
          durationMs: 310,
        }),
        chat({
          model,
          prompt: [
            ...supportPrompt,
            { role: "tool", content: '{"status":"shipped","tracking":"PW-77120"}' },
            { role: "tool", content: '{"location":"Utrecht depot","expected":"tomorrow"}' },
          ],
          completion: "Your order is in the Utrecht depot and should arrive tomorrow.",
          promptTokens: 318,
          completionTokens: 42,
          durationMs: 1120,
        }),
      ],
    }),
  ],
});

const timeout: RaisedError = {
  type: "TimeoutError",
  message: "GET https://example.com/reports/2026-q3 timed out after 10.0 s",
  stacktrace: [
    "Traceback (most recent call last):",
    '  File "research.py", line 41, in fetch_page',
    "    response = session.get(url, timeout=10.0)",
    "TimeoutError: GET https://example.com/reports/2026-q3 timed out after 10.0 s",
  ].join("\n"),
};

const researchPrompt: readonly Message[] = [
  { role: "system", content: "You research companies and cite every figure." },
  { role: "user", content: "Summarize Example Ltd's third quarter." },
];

/** A run that a failing tool brings down. */
export const researchRun: SampleSpan = session("research", {
  tags: ["sample", "research"],
  error: timeout,
  children: [
    agent("Researcher", {
      model,
      tools: ["search_web", "fetch_page"],
      error: timeout,
      children: [
        chat({
          model,
          prompt: researchPrompt,
          completion: "I will search for the quarterly report and read it.",
          promptTokens: 164,
          completionTokens: 27,
          durationMs: 820,
        }),
        tool("search_web", {
          input: { query: "Example Ltd Q3 2026 report" },
          result: [{ title: "Quarterly report", url: "https://example.com/reports/2026-q3" }],
          durationMs: 430,
        }),
        tool("fetch_page", {
          input: { url: "https://example.com/reports/2026-q3" },
          error: timeout,
          durationMs: 10_000,
        }),
      ],
    }),
  ],
});

/** Of six spans each: with the session and the agent that makes 200. */
const STEP_COUNT = 33;

/** A run too long to read span by span. */
export const migrationRun: SampleSpan = session("code-migration", {
  tags: ["sample", "code-migration"],
  children: [
    agent("Migrator", {
      model,
      tools: ["read_file", "write_file", "run_tests"],
      children: Array.from({ length: STEP_COUNT }, (_, index) => migrationStep(index + 1)),
    }),
  ],
});

function migrationStep(step: number): SampleSpan {
  const path = `src/legacy/module_${step}.py`;
  const goal: Message = { role: "user", content: `Move ${path} to the new storage API.` };
  return task("migrate_file", {
    input: { path },
    children: [
      tool("read_file", { input: { path }, result: `${40 + step} lines`, durationMs: 6 }),
      chat({
        model,
        prompt: [goal],
        completion: `Replace the ${1 + (step % 4)} calls of open_store with connect.`,
        promptTokens: 900 + step * 55,
        completionTokens: 180 + (step % 5) * 20,
        durationMs: 1400 + (step % 7) * 160,
      }),
      tool("write_file", { input: { path }, result: "written", durationMs: 9 }),
      tool("run_tests", { input: { path }, result: { passed: 12 + step }, durationMs: 780 }),
      chat({
        model,
        prompt: [goal, { role: "tool", content: `{"passed":${12 + step}}` }],
        completion: `${path} is migrated; all tests pass.`,
        promptTokens: 1020 + step * 55,
        completionTokens: 24,
        durationMs: 610,
      }),
    ],
  });
}
