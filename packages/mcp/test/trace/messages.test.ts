import { describe, expect, test } from "vitest";
import {
  completionMessages,
  messageKey,
  messageSize,
  messagesText,
  promptMessages,
} from "../../src/trace/messages.js";
import { span } from "./draw.js";

const chat = (attributes: Record<string, string>) => span("openai.chat.completion", { attributes });

const message = (role: string, content: string) => ({
  role,
  content,
  toolCalls: [],
  toolCallId: undefined,
  finishReason: undefined,
});

describe("a prompt", () => {
  test("is read from flat keys in order of index, gaps skipped", () => {
    const prompt = promptMessages(
      chat({
        "gen_ai.prompt.10.content": "last",
        "gen_ai.prompt.10.role": "user",
        "gen_ai.prompt.2.content": "second",
        "gen_ai.prompt.2.role": "assistant",
        "gen_ai.prompt.0.content": "first",
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt_filter": "none",
      }),
    );
    expect(prompt).toEqual([
      message("system", "first"),
      message("assistant", "second"),
      message("user", "last"),
    ]);
  });

  test("is read from the GenAI conventions' JSON, instructions first", () => {
    const prompt = promptMessages(
      chat({
        "gen_ai.system_instructions": '[{"type":"text","content":"Be brief."}]',
        "gen_ai.input.messages": JSON.stringify([
          { role: "user", parts: [{ type: "text", content: "Weather?" }] },
          {
            role: "assistant",
            parts: [{ type: "tool_call", id: "c1", name: "weather", arguments: { city: "Rome" } }],
          },
          { role: "tool", parts: [{ type: "tool_call_response", id: "c1", response: "rainy" }] },
        ]),
      }),
    );
    expect(prompt).toEqual([
      message("system", "Be brief."),
      message("user", "Weather?"),
      {
        ...message("assistant", ""),
        toolCalls: [{ id: "c1", name: "weather", arguments: '{"city":"Rome"}' }],
      },
      { ...message("tool", "rainy"), toolCallId: "c1" },
    ]);
  });

  test("is read from a JSON list as LangChain's handler writes it", () => {
    const prompt = promptMessages(
      chat({
        "gen_ai.prompt": '[{"type":"system","content":"Plan."},{"type":"human","content":"Go"}]',
      }),
    );
    expect(prompt).toEqual([message("system", "Plan."), message("user", "Go")]);
  });

  test("is one user message when it is plain text or broken JSON", () => {
    expect(promptMessages(chat({ "gen_ai.prompt": "Hello" }))).toEqual([message("user", "Hello")]);
    expect(promptMessages(chat({ "gen_ai.prompt": '[{"role":' }))).toEqual([
      message("user", '[{"role":'),
    ]);
    expect(promptMessages(chat({ "gen_ai.prompt": '["a","b"]' }))).toEqual([
      message("user", "a"),
      message("user", "b"),
    ]);
  });

  test("keeps instructions the Responses API sends apart, unless the prompt has a system message", () => {
    const user = { "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi" };
    const instructed = { ...user, "gen_ai.request.instructions": "Be kind." };
    expect(promptMessages(chat(instructed))).toEqual([
      message("system", "Be kind."),
      message("user", "Hi"),
    ]);
    expect(promptMessages(chat({ ...instructed, "gen_ai.prompt.0.role": "system" }))).toHaveLength(
      1,
    );
  });

  test("is empty on a span without one", () => {
    expect(promptMessages(chat({ "gen_ai.request.model": "gpt-4o" }))).toEqual([]);
  });
});

describe("tool calls", () => {
  test("are read from both flat spellings", () => {
    const [answer] = completionMessages(
      chat({
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.tool_calls.0.id": "c1",
        "gen_ai.completion.0.tool_calls.0.name": "search",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"q":"x"}',
        "gen_ai.completion.0.tool_calls.1.function.name": "open",
        "gen_ai.completion.0.tool_calls.1.function.arguments": "{}",
      }),
    );
    expect(answer?.toolCalls).toEqual([
      { id: "c1", name: "search", arguments: '{"q":"x"}' },
      { id: undefined, name: "open", arguments: "{}" },
    ]);
  });

  test("are read from Anthropic's blocks inside flat content", () => {
    const prompt = promptMessages(
      chat({
        "gen_ai.prompt.0.role": "assistant",
        "gen_ai.prompt.0.content":
          '[{"type":"text","text":"I look."},{"type":"tool_use","id":"t1","name":"search","input":{"q":"x"}}]',
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content":
          '[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"found"}]}]',
      }),
    );
    expect(prompt[0]).toMatchObject({
      content: "I look.",
      toolCalls: [{ id: "t1", name: "search", arguments: '{"q":"x"}' }],
    });
    expect(prompt[1]).toMatchObject({ content: "found", toolCallId: "t1" });
  });
});

describe("a completion", () => {
  test.each<[string, Record<string, string>]>([
    ["flat", { "gen_ai.completion.0.content": "Hi" }],
    ["a JSON list", { "gen_ai.completion": '[{"content":"Hi"}]' }],
    [
      "the GenAI conventions' JSON",
      {
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hi"}]}]',
      },
    ],
    ["LangGraph's", { "gen_ai.response.0.content": "Hi", "gen_ai.response.model": "gpt-4o" }],
  ])("is read when it is %s", (_form, attributes) => {
    expect(completionMessages(chat(attributes))).toEqual([message("assistant", "Hi")]);
  });
});

test("content that looks like JSON but holds no typed parts stays as it is", () => {
  const attributes = { "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": '[{"a":1}]' };
  expect(promptMessages(chat(attributes))[0]?.content).toBe('[{"a":1}]');
});

test("parts that are no text are kept as JSON, however deep they nest", () => {
  const media = '[{"type":"image_url","image_url":{"url":"data:…"}}]';
  const deep = `[{"type":"x","deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}]`;
  const read = (content: string) =>
    promptMessages(chat({ "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": content }))[0];
  expect(read(media)?.content).toBe('{"type":"image_url","image_url":{"url":"data:…"}}');
  expect(read(deep)?.content).toBe("(nested too deep)");
});

test("messages read as one text, and weigh their content and calls", () => {
  const call = { id: "c1", name: "search", arguments: '{"q":1}' };
  const asked = { ...message("assistant", "I look."), toolCalls: [call] };
  expect(messagesText([message("user", "Hi"), asked])).toBe(
    'user: Hi\n\nassistant: I look.\nsearch({"q":1})',
  );
  expect(messageSize(asked)).toBe("I look.".length + 'search({"q":1})'.length);
  expect(messageKey(asked)).toBe(messageKey({ ...asked, toolCalls: [{ ...call, id: "c2" }] }));
  expect(messageKey(asked)).not.toBe(messageKey(message("assistant", "I look.")));
});
