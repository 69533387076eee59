import { describe, expect, test } from "vitest";
import {
  createTextFinder,
  matchesFilter,
  maxMatchesPerField,
  type SpanFilter,
  snippetMarginChars,
} from "../../src/trace/find.js";
import { columnMs, draw, epochUnixMs, span } from "./draw.js";

const tree = draw(
  `
  Planner.agent               [---------]
    openai.chat.completion     [--]        ok
    search.tool                    [-]     x
  `,
  {
    "openai.chat.completion": {
      attributes: {
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.usage.total_cost": "0.5",
        "trace.metadata.customer": "ACME Corp",
      },
    },
  },
);

describe("a filter", () => {
  test.each<[SpanFilter, readonly string[]]>([
    [{}, ["Planner.agent", "openai.chat.completion", "search.tool"]],
    [{ name: "CHAT" }, ["openai.chat.completion"]],
    [{ agentopsKind: "tool" }, ["search.tool"]],
    [{ model: "gpt-4o" }, ["openai.chat.completion"]],
    [{ tool: "Search" }, ["search.tool"]],
    [{ tool: "sea" }, []],
    [{ agent: "planner", agentopsKind: "llm" }, ["openai.chat.completion"]],
    [{ status: "error" }, ["search.tool"]],
    [{ minDurationMs: 3 * columnMs }, ["Planner.agent", "openai.chat.completion"]],
    [{ maxDurationMs: 2 * columnMs }, ["search.tool"]],
    [{ minCostUsd: 0.5 }, ["openai.chat.completion"]],
    [{ minCostUsd: 0.6 }, []],
    [{ attributes: [{ key: "trace.metadata.customer" }] }, ["openai.chat.completion"]],
    [
      { attributes: [{ key: "trace.metadata.customer", contains: "acme" }] },
      ["openai.chat.completion"],
    ],
    [{ attributes: [{ key: "trace.metadata.customer", equals: "acme" }] }, []],
    [{ status: "ok", agentopsKind: "tool" }, []],
  ])("of %j finds %j", (filter, found) => {
    const matching = tree.nodes.filter((node) => matchesFilter(node, filter));
    expect(matching.map((node) => node.span.spanId)).toEqual(found);
  });
});

describe("a text", () => {
  test("is found with its place in name, status, attributes and events", () => {
    const found = createTextFinder("time.OUT")(
      span("Time.out check", {
        statusMessage: "TimeXout",
        attributes: { "agentops.tool.output": "a time.out b" },
        events: [
          {
            name: "exception",
            timeUnixMs: epochUnixMs,
            attributes: { "exception.message": "time.out" },
          },
        ],
      }),
    );
    expect(found).toEqual([
      { field: "name", offset: 0, length: 8, snippet: "Time.out check", snippetOffset: 0 },
      {
        field: "agentops.tool.output",
        offset: 2,
        length: 8,
        snippet: "a time.out b",
        snippetOffset: 2,
      },
      {
        field: "events.0.exception.message",
        offset: 0,
        length: 8,
        snippet: "time.out",
        snippetOffset: 0,
      },
    ]);
  });

  test("comes with its surroundings, and never with half a character", () => {
    const margin = "😀".repeat(snippetMarginChars);
    const text = `${margin}x needle${margin}`;
    const [match] = createTextFinder("needle")(span("s", { attributes: { text } }));
    expect(match?.snippet).not.toMatch(/\p{Surrogate}/u);
    expect(match?.snippet.length).toBeLessThanOrEqual("needle".length + 2 * snippetMarginChars + 2);
    expect(match?.snippet.slice(match.snippetOffset)).toMatch(/^needle/);
    expect(text.slice(match?.offset)).toMatch(/^needle/);
  });

  test("is told a few times per field", () => {
    const attributes = { text: "needle ".repeat(100) };
    expect(createTextFinder("needle")(span("s", { attributes }))).toHaveLength(maxMatchesPerField);
  });

  test("that is empty is found nowhere", () => {
    expect(createTextFinder("")(span("s"))).toEqual([]);
  });
});
