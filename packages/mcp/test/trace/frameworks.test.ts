import { describe, expect, test } from "vitest";
import { toolCalls } from "../../src/trace/calls.js";
import { conversationTurns } from "../../src/trace/conversation.js";
import { summarizeTrace } from "../../src/trace/summary.js";
import type { SpanTree } from "../../src/trace/tree.js";
import { draw } from "./draw.js";

/** `kind agent?` of each span, depth first. */
const kinds = (tree: SpanTree) =>
  tree.nodes.map(
    ({ span, kind, agent }) => `${span.spanId}: ${kind}${agent ? ` for ${agent}` : ""}`,
  );

const kind = (value: string, more: Record<string, string> = {}) => ({
  attributes: { "agentops.span.kind": value, ...more },
});

describe("the trees that frameworks make under AgentOps", () => {
  test("OpenAI Agents: trace and handoff spans declare no kind", () => {
    const tree = draw(
      `
      default.session          [----------------------]
        Agent workflow         [---------------------]   ok
          Triage               [--------]                ok
            response           [--]                      ok
            get_weather           [-]                    ok
            handoff                 [-]                  ok
          Booking                       [-----------]    ok
            response#2                  [----]           ok
      `,
      {
        "default.session": kind("session", { "agentops.tags": '["prod"]' }),
        "Agent workflow": {
          attributes: {
            "workflow.step.type": "trace",
            "trace.id": "trace_1",
            "agentops.tags": "[]",
          },
        },
        Triage: kind("agent", { "agent.name": "Triage Agent" }),
        response: kind("llm", { "gen_ai.response.model": "gpt-4o" }),
        get_weather: kind("tool", {
          "tool.name": "get_weather",
          "tool.parameters": "{}",
          "agent.calling_tool.name": "get_weather",
        }),
        handoff: { attributes: { from_agent: "Triage Agent", to_agent: "Booking Agent" } },
        Booking: kind("agent", { "agent.name": "Booking Agent" }),
        "response#2": kind("llm"),
      },
    );
    expect(kinds(tree)).toEqual([
      "default.session: session",
      "Agent workflow: workflow",
      "Triage: agent for Triage Agent",
      "response: llm for Triage Agent",
      "get_weather: tool for Triage Agent",
      "handoff: handoff for Triage Agent",
      "Booking: agent for Booking Agent",
      "response#2: llm for Booking Agent",
    ]);
    expect(summarizeTrace(tree).status).toBe("ok");
  });

  test("CrewAI: the root carries the tokens of the whole crew", () => {
    const llm = (tokens: number) =>
      kind("llm", { "gen_ai.usage.total_tokens": `${tokens}`, "gen_ai.request.model": "llama3" });
    const tree = draw(
      `
      crewai.workflow                   [---------------------]  ok
        Research the web.task           [---------]              ok
          Researcher.agent              [--------]               ok
            ollama/llama3:latest.llm    [------]                 ok
        Write a song.task                         [-----------]  ok
          Songwriter.agent                        [----------]   ok
            ollama/llama3:latest.llm#2            [--------]     ok
      `,
      {
        "crewai.workflow": kind("workflow", { "gen_ai.usage.total_tokens": "977" }),
        "Research the web.task": kind("workflow.step", { from_agent: "Website Researcher" }),
        "Researcher.agent": kind("agent", { "agent.role": "Website Researcher" }),
        "ollama/llama3:latest.llm": llm(293),
        "Write a song.task": kind("workflow.step"),
        "Songwriter.agent": kind("agent", { "agent.role": "Songwriter" }),
        "ollama/llama3:latest.llm#2": llm(684),
      },
    );
    expect(kinds(tree)).toEqual([
      "crewai.workflow: workflow",
      "Research the web.task: task",
      "Researcher.agent: agent for Website Researcher",
      "ollama/llama3:latest.llm: llm for Website Researcher",
      "Write a song.task: task",
      "Songwriter.agent: agent for Songwriter",
      "ollama/llama3:latest.llm#2: llm for Songwriter",
    ]);
    expect(summarizeTrace(tree).usage).toMatchObject({
      tokens: { total: 977 },
      costUsd: undefined,
    });
  });

  test("LangGraph: nodes are model calls that see their last messages only", () => {
    const node = (prompt: readonly string[]) =>
      kind("llm", {
        "entity.name": "Node: agent",
        ...Object.fromEntries(
          prompt.flatMap((content, i) => [
            [`gen_ai.prompt.${i}.role`, "user"],
            [`gen_ai.prompt.${i}.content`, content],
          ]),
        ),
        "gen_ai.response.0.content": "answer",
      });
    const tree = draw(
      `
      default.session                 [------------------]
        langgraph.graph.compile       [-]                  ok
        langgraph.workflow.execute      [----------------] ok
          langgraph.node.execute        [----]             ok
          langgraph.node.execute#2            [----]       ok
      `,
      {
        "default.session": kind("session"),
        "langgraph.graph.compile": kind("workflow"),
        "langgraph.workflow.execute": kind("workflow", { "workflow.type": "langgraph_invoke" }),
        "langgraph.node.execute": node(["one", "two", "three"]),
        "langgraph.node.execute#2": node(["two", "three", "four"]),
      },
    );
    const turns = conversationTurns(tree);
    expect(turns.map(({ history }) => history)).toEqual(["start", "truncated"]);
    expect(turns[1]?.newMessages.map(({ content }) => content)).toEqual(["four"]);
    expect(turns[1]?.completion[0]?.content).toBe("answer");
  });

  test("decorators: statuses are unset, and OpenAI's tool calls are spans of their own", () => {
    const tree = draw(
      `
      default.session                [-------------------]
        Assistant.agent              [------------------]
          answer.task                [-----------------]
            openai.chat.completion   [------]              ok
              tool_call.search             []              ok
            search.tool                     [---]
      `,
      {
        "default.session": kind("session"),
        "Assistant.agent": kind("agent", { "operation.name": "Assistant" }),
        "answer.task": kind("task", { "operation.name": "answer" }),
        "openai.chat.completion": { attributes: { "gen_ai.response.model": "gpt-4o" } },
        "tool_call.search": { attributes: { "tool.name": "search", "tool.parameters": "{}" } },
        "search.tool": kind("tool", { "operation.name": "search" }),
      },
    );
    expect(kinds(tree)).toEqual([
      "default.session: session",
      "Assistant.agent: agent for Assistant",
      "answer.task: task for Assistant",
      "openai.chat.completion: llm for Assistant",
      "tool_call.search: tool for Assistant",
      "search.tool: tool for Assistant",
    ]);
    expect(toolCalls(tree).map(({ node }) => node.span.spanId)).toEqual(["search.tool"]);
    expect(summarizeTrace(tree).status).toBe("ok");
  });

  test("a plan that withholds attributes leaves the names to go by", () => {
    const tree = draw(`
      crewai.workflow              [---------]
        Researcher.agent           [--------]
          anthropic.messages.create  [--]
          search.tool                   [--]
    `);
    expect(kinds(tree)).toEqual([
      "crewai.workflow: workflow",
      "Researcher.agent: agent for Researcher",
      "anthropic.messages.create: llm for Researcher",
      "search.tool: tool for Researcher",
    ]);
  });
});
