import { expect, test } from "vitest";
import { canonicalArguments } from "../../src/trace/json.js";
import { spanInput, spanOutput, toolOf } from "../../src/trace/span-io.js";
import { span } from "./draw.js";

test.each<[string, string, Record<string, string>, object]>([
  [
    "the GenAI conventions",
    "execute_tool search",
    {
      "gen_ai.tool.name": "search",
      "gen_ai.tool.call.id": "c1",
      "gen_ai.tool.call.arguments": '{"q":1}',
      "gen_ai.tool.call.result": "found",
    },
    { name: "search", arguments: '{"q":1}', result: "found", callId: "c1" },
  ],
  [
    "OpenAI's tool_call spans",
    "tool_call.search",
    { "tool.name": "search", "tool.parameters": '{"q":1}', "tool.call.id": "c1" },
    { name: "search", arguments: '{"q":1}', result: undefined, callId: "c1" },
  ],
  [
    "decorated functions",
    "search.tool",
    {
      "operation.name": "search",
      "agentops.tool.input": '{"args":[1]}',
      "agentops.tool.output": "2",
    },
    { name: "search", arguments: '{"args":[1]}', result: "2", callId: undefined },
  ],
  [
    "frameworks that record entity input",
    "lookup.tool_usage",
    { "agentops.entity.input": "q", "agentops.entity.output": "a" },
    { name: "lookup", arguments: "q", result: "a", callId: undefined },
  ],
])("a tool is read from %s", (_source, name, attributes, tool) => {
  expect(toolOf(span(name, { attributes }), "tool")).toEqual(tool);
});

test("a span that is no tool has no tool", () => {
  expect(toolOf(span("x", { attributes: { "tool.name": "search" } }), "llm")).toBeUndefined();
});

test.each<[Record<string, string>, string | undefined, string | undefined]>([
  [{ "agentops.task.input": "in", "agentops.task.output": "out" }, "in", "out"],
  [{ "tool.parameters": "in", "tool.result": "out" }, "in", "out"],
  [{ "workflow.input": "in", "workflow.final_output": "out" }, "in", "out"],
  [{ "gen_ai.prompt": "in", "gen_ai.completion": "out" }, "user: in", "assistant: out"],
  [{ "gen_ai.request.model": "gpt-4o" }, undefined, undefined],
])("input and output of %j", (attributes, input, output) => {
  expect(spanInput(span("x", { attributes }))).toBe(input);
  expect(spanOutput(span("x", { attributes }))).toBe(output);
});

test.each([
  ["key order and spaces", '{"b": 1, "a": {"d": 2, "c": 3}}', '{"a":{"c":3,"d":2},"b":1}'],
  ["an empty positional list", '{"args": [], "kwargs": {"q": 1}}', '{"q":1}'],
  ["an empty keyword list", '{"args": [1], "kwargs": {}}', "[1]"],
  ["both lists", '{"kwargs": {"q": 1}, "args": [1]}', '{"args":[1],"kwargs":{"q":1}}'],
  ["white space in plain text", "  a\n  b ", "a b"],
])("arguments are one spelling whatever their %s", (_difference, text, canonical) => {
  expect(canonicalArguments(text)).toBe(canonical);
});
