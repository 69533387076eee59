import { describe, expect, test } from "vitest";
import { agentNameOf, agentopsKind, bareName } from "../../src/trace/agentops-kind.js";
import { span } from "./draw.js";

describe("the declared kind", () => {
  test.each([
    ["agent", "agent"],
    ["LLM", "llm"],
    ["workflow.step", "task"],
    ["tool.usage", "tool"],
    ["agent.action", "agent"],
    ["request", "llm"],
    ["operation", "task"],
  ])("%s is %s", (declared, kind) => {
    expect(agentopsKind(span("x", { attributes: { "agentops.span.kind": declared } }))).toBe(kind);
  });

  test("wins over what the name and the attributes imply", () => {
    const attributes = { "agentops.span.kind": "workflow", "gen_ai.request.model": "gpt-4o" };
    expect(agentopsKind(span("search.tool", { attributes }))).toBe("workflow");
  });

  test("is ignored when it is no AgentOps word", () => {
    const attributes = { "span.kind": "client", "gen_ai.operation.name": "execute_tool" };
    expect(agentopsKind(span("x", { attributes }))).toBe("tool");
  });

  test.each(["constructor", "__proto__", ".", ""])("may be any text, even %j", (declared) => {
    const attributes = { "agentops.span.kind": declared };
    expect(agentopsKind(span("x", { attributes }))).toBe("unknown");
  });
});

describe("a span that declares no kind", () => {
  test.each<[string, Record<string, string>, string]>([
    ["openai.chat.completion", {}, "llm"],
    ["anthropic.messages.create", {}, "llm"],
    ["openai.messages.list", {}, "unknown"],
    ["tool_call.search", { "tool.name": "search" }, "tool"],
    ["handoff", { from_agent: "Triage", to_agent: "Booking" }, "handoff"],
    ["Agent workflow", { "workflow.step.type": "trace" }, "workflow"],
    ["chat gpt-4o", { "gen_ai.operation.name": "chat" }, "llm"],
    ["invoke_agent Planner", { "gen_ai.operation.name": "invoke_agent" }, "agent"],
    ["crewai.workflow", {}, "workflow"],
    ["Website Researcher.agent", {}, "agent"],
    ["ollama/llama3:latest.llm", {}, "llm"],
    ["search.tool_usage", {}, "tool"],
    ["tool:search", {}, "tool"],
    ["session", {}, "session"],
    ["my model call", { "gen_ai.request.model": "gpt-4o" }, "llm"],
    ["http.request", {}, "unknown"],
  ])("%s with %j is %s", (name, attributes, kind) => {
    expect(agentopsKind(span(name, { attributes }))).toBe(kind);
  });
});

test.each([
  ["search.tool", "search"],
  ["tool_call.search", "search"],
  ["adk.agent.planner", "planner"],
  ["Triage.agno.agent.run.agent", "Triage"],
  ["gpt-4.1.llm", "gpt-4.1"],
  ["get_weather", "get_weather"],
  [".tool", ".tool"],
])("the bare name of %s is %s", (name, bare) => {
  expect(bareName(name)).toBe(bare);
});

describe("the agent a span names", () => {
  test("is the GenAI name before AgentOps' own", () => {
    const attributes = { "agent.name": "old", "gen_ai.agent.name": "new" };
    expect(agentNameOf(span("x", { attributes }), "llm")).toBe("new");
  });

  test("is CrewAI's role on an agent span, and its bare name without one", () => {
    const crew = span("Researcher.agent", { attributes: { "agent.role": "Lead Researcher" } });
    expect(agentNameOf(crew, "agent")).toBe("Lead Researcher");
    expect(agentNameOf(span("Researcher.agent"), "agent")).toBe("Researcher");
  });

  test("is none on a span that is no agent", () => {
    expect(
      agentNameOf(span("answer.task", { attributes: { "operation.name": "answer" } }), "task"),
    ).toBeUndefined();
  });
});
