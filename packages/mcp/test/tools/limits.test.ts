import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, test } from "vitest";
import { acceptedInput } from "../../src/tools/credentials.js";
import { diagnosis } from "../../src/tools/diagnosis.js";
import { tools } from "../../src/tools/index.js";
import { renderTree } from "../../src/tools/tree-view.js";
import type { Span, Trace } from "../../src/trace/trace.js";
import { buildTree } from "../../src/trace/tree.js";
import { connectOverStdio } from "../mcp-client.js";
import { INJECTION } from "../runs/decorators.js";
import { span, trace } from "../trace/draw.js";
import { largeTrace } from "../trace/large.js";
import { scriptedApi } from "./scripted-api.js";
import { namedSecrets, secrets } from "./secrets.js";

const id = "4b1f0c6d9e5a4f7c8a2e3d1c0b9a8f7e";

/** One call of each kind of rendered answer about the trace `id`. */
const renderedCalls = (spanId: string): readonly [string, Record<string, unknown>][] => [
  ["list_traces", { view: "table" }],
  ["trace_detail", { trace_id: id, view: "tree" }],
  ["trace_detail", { trace_id: id, view: "tree", cursor: "0" }],
  ["trace_detail", { trace_id: id, view: "timeline" }],
  ["trace_detail", { trace_id: id, view: "conversation" }],
  ["get_spans", { trace_id: id, span_ids: [spanId] }],
  ["get_spans", { trace_id: id, span_ids: [spanId], path: "*" }],
  ["get_spans", { trace_id: id, span_ids: [spanId], grep: "e" }],
  ["search_spans", { text: "e", limit: 200 }],
  ["search_spans", { trace_id: id }],
  ["diagnose_trace", { trace_id: id }],
  ["compare_traces", { a: id, b: id }],
  ["trace_metrics", { group_by: "span_name" }],
  ["trace_metrics", { trace_ids: [id] }],
  ["find_failures", {}],
  ["trace_logs", { trace_id: id }],
  ["wait_for_trace", { trace_id: id, timeout_s: 1 }],
];

describe("what every session pays for", () => {
  test("all tools take at most 4,000 tokens of definitions, with a key and without", async () => {
    for (const env of [{}, { AGENTOPS_API_KEY: "k" }]) {
      const { client } = await connectOverStdio(env);
      const { tools: shown } = await client.listTools();
      expect(encode(JSON.stringify(shown)).length).toBeLessThanOrEqual(4_000);
    }
  });

  test("instructions fit what hosts keep, and begin with what the server is for", async () => {
    const { client } = await scriptedApi([]);

    expect(client.getInstructions()?.length).toBeLessThan(2_048);
    expect(client.getInstructions()).toMatch(/^Reads traces of AI agents/);
  });

  test.each(tools.map(({ name }) => name))(
    "%s has a title, a short description and its hints",
    async (name) => {
      const { client } = await scriptedApi([]);
      const tool = (await client.listTools()).tools.find((each) => each.name === name);

      expect(tool?.title).toBeTruthy();
      expect(tool?.description?.length).toBeLessThanOrEqual(300);
      expect(tool?.annotations).toMatchObject({
        title: tool?.title,
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: true,
      });
    },
  );
});

test.each([1, 100, 5_000, 50_000])(
  "a trace of %d spans fits every answer's budget",
  async (spanCount) => {
    const log = "2025-08-20 09:15:02 - INFO - the quick brown fox\n".repeat(spanCount);
    const { ask } = await scriptedApi([largeTrace(spanCount)], { log });
    for (const [tool, args] of renderedCalls("session")) {
      const { text, isError } = await ask(tool, args);
      expect({ tool, args, isError, text: isError ? text : "" }).toMatchObject({ isError: false });
      expect({ tool, args, tokens: encode(text).length <= 2_500 }).toEqual({
        tool,
        args,
        tokens: true,
      });
    }
  },
  120_000,
);

test("one span of 10 MB fits the smallest budget of every answer", async () => {
  const log = "The quick brown fox jumps over the lazy dog. ".repeat(220_000);
  const { ask } = await scriptedApi([trace([hugeSpan()])], { log });
  for (const [tool, args] of renderedCalls("huge-span")) {
    const max_tokens = hasFixedBudget(tool) ? undefined : 500;
    const { text, isError } = await ask(tool, { ...args, ...(max_tokens && { max_tokens }) });
    expect({ tool, args, isError }).toMatchObject({ isError: false });
    expect(encode(text).length).toBeLessThanOrEqual(max_tokens ?? 2_500);
  }
}, 120_000);

function hasFixedBudget(tool: string): boolean {
  return tool === "list_traces" || tool === "wait_for_trace";
}

function hugeSpan(): Span {
  return span("huge-span", {
    name: "openai.chat.completion",
    attributes: {
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.prompt.0.role": "user",
      "gen_ai.prompt.0.content": "The quick brown fox jumps over the lazy dog. ".repeat(220_000),
      "gen_ai.completion.0.content": '{"a":[1,2]}'.repeat(10_000),
    },
  });
}

describe("50,000 spans", () => {
  const run = largeTrace(50_000);

  test.each([
    [
      "the tree",
      1.5,
      () => renderTree(buildTree(run), { dashboardUrl: undefined, maxTokens: 2_500 }),
    ],
    ["the diagnosis", 3, () => diagnosis(buildTree(run), (spanId) => spanId)],
  ])("%s takes at most %d seconds of work", (_what, limit, work) => {
    const secondsOfWork = Array.from({ length: 3 }, () => {
      const before = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1e6;
    });

    // The machine may be busy with other things: the best of three says what the work is. Still the same
    // machine takes half as long again in some hours; work that grows with the square takes minutes.
    expect(Math.min(...secondsOfWork)).toBeLessThanOrEqual(limit);
  });
});

test("a trace of 50,000 spans is read and drawn in at most 400 MB", async () => {
  const { api } = await scriptedApi([largeTrace(50_000)]);
  const env = { AGENTOPS_API_KEY: "k", AGENTOPS_API_URL: api.url };
  const { call, pid } = await connectOverStdio(env);
  await call("trace_detail", { trace_id: id, view: "tree" });

  const status = await readFile(`/proc/${pid}/status`, "utf8");
  expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1_000).toBeLessThanOrEqual(400);
});

describe("a hostile trace", () => {
  const planted = [...Object.values(secrets), ...Object.values(namedSecrets).map(([text]) => text)];
  const parts = [
    ...Object.values(secrets),
    ...Object.values(namedSecrets).map(([, secret]) => secret),
  ];
  const run = hostileTrace(planted);
  const log = [INJECTION, "</trace-data>", ...planted].join("\n");

  test("never gets a secret into an answer, except a raw one", async () => {
    const { ask } = await scriptedApi([run], { log });
    for (const [tool, args] of renderedCalls("root-span")) {
      const { text } = await ask(tool, {
        ...args,
        ...(!hasFixedBudget(tool) && { max_tokens: 20_000 }),
      });
      for (const secret of parts) {
        expect({ tool, args, leaks: text.includes(secret) }).toEqual({ tool, args, leaks: false });
      }
    }
    const raw = await ask("trace_detail", { trace_id: id, view: "raw" });
    expect(raw.text).toContain(parts[0]);
  });

  test("keeps what it says inside the fence", async () => {
    const { ask } = await scriptedApi([run], { log });
    for (const [tool, args] of renderedCalls("root-span")) {
      const { text } = await ask(tool, args);
      const outside = text.replace(/<trace-data note="[^"]*">\n[\s\S]*?\n<\/trace-data>/g, "");
      expect({ tool, args, outside }).toMatchObject({
        outside: expect.not.stringContaining("Ignore all"),
      });
      expect(text.match(/<\/trace-data>/g)?.length ?? 0).toBeLessThanOrEqual(1);
    }
  });
});

function hostileTrace(planted: readonly string[]): Trace {
  const text = planted.join("\n");
  const attributes = {
    "gen_ai.request.model": `gpt-4o ${INJECTION}`,
    "gen_ai.prompt.0.role": INJECTION,
    "gen_ai.prompt.0.content": `${INJECTION}\n${text}`,
    "gen_ai.completion.0.content": text,
    "gen_ai.usage.prompt_tokens": "1000",
    "agent.name": INJECTION,
    [INJECTION]: text,
  };
  const failed = { status: "error", statusMessage: `${text}\n${INJECTION}` } as const;
  const child = { parentSpanId: "root-span", name: INJECTION, durationMs: 5, attributes };
  return trace(
    [
      span("root-span", { name: `${INJECTION}.session`, durationMs: 100, attributes, ...failed }),
      span("child-span-1", child),
      span("child-span-2", {
        ...child,
        ...failed,
        attributes: {
          "agentops.span.kind": "tool",
          "tool.name": INJECTION,
          "tool.parameters": text,
          "tool.result": text,
        },
      }),
      ...planted.map((secret, index) =>
        span(`planted-${index}`, { parentSpanId: "root-span", name: secret, ...failed }),
      ),
    ],
    { tags: [INJECTION, text] },
  );
}

test("no list answer carries a payload", async () => {
  const attributes = { "gen_ai.prompt.0.content": "nobody should see this in a list" };
  const { ask } = await scriptedApi([trace([span("root-span", { attributes })])]);
  for (const args of [{}, { view: "table" }, { errors_only: true }, { limit: 100, view: "raw" }]) {
    expect((await ask("list_traces", args)).text).not.toContain("nobody should see");
  }
});

/** The set that `ToolErrorCode` closes. */
const CODES =
  /^(missing_api_key|invalid_api_key|invalid_url|url_not_allowed|not_found|listing_unavailable|forbidden|bad_request|rate_limited|unreachable|timeout|cancelled|server_error|bad_response|response_too_large|invalid_argument): /;

describe.each(tools.map((tool) => [tool.name, tool] as const))("%s", (name, tool) => {
  const argumentNames = Object.keys(tool.input.shape);

  test("answers an unknown argument with the valid ones", async () => {
    const { ask } = await scriptedApi([]);
    const { text, isError } = await ask(name, { colour: "red" });

    expect(isError).toBe(true);
    for (const argument of argumentNames) expect(text).toContain(`\`${argument}\``);
  });

  test("answers 1,000 bad inputs with a code and what to do", async () => {
    const { ask } = await scriptedApi([largeTrace(3)]);
    const junk = fc.dictionary(
      fc.oneof(fc.constantFrom(...argumentNames, "constructor"), fc.string()),
      fc.oneof(
        fc.jsonValue(),
        fc.string({ unit: "binary" }),
        fc.double(),
        fc.constant("9".repeat(400)),
      ),
    );
    // The SDK drops a key called `__proto__` before we see it, and what is left may be valid.
    const bad = junk.filter(
      (args) =>
        !Object.hasOwn(args, "__proto__") && !acceptedInput(tool.input).safeParse(args).success,
    );
    await fc.assert(
      fc.asyncProperty(bad, async (args) => {
        const { text, isError } = await ask(name, args);
        expect(isError).toBe(true);
        expect(text).toMatch(CODES);
        expect(text).not.toMatch(/\n\s+at .+:\d+/);
      }),
      { numRuns: 1_000 },
    );
  }, 120_000);
});
