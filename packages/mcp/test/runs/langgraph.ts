import { GPT_4O, type Message, modelAttributes, type Run, type Step } from "./run.js";

const SEARCH_RESULT = "No result for this query. ".repeat(40);

/**
 * A graph in the shape of LangGraph that goes round in circles: its model asks for the same search again
 * and again, and every answer makes the prompt longer.
 */
export function loopingRun(key: string, startUnixMs: number, rounds: number): Run {
  const prompt: Message[] = [
    { role: "system", content: "You answer from search results only." },
    { role: "user", content: "When was the bridge in Kiel built?" },
  ];
  const children: Step[] = [
    {
      name: "langgraph.graph.compile",
      attributes: {
        "agentops.span.kind": "workflow",
        "langgraph.graph.nodes": '["think", "search"]',
      },
      ms: 3,
      ok: true,
    },
  ];
  for (let round = 0; round < rounds; round++) {
    children.push(think([...prompt], 400 + round * 900), search());
    prompt.push(
      { role: "assistant", content: `search (try ${round + 1})` },
      { role: "tool", content: `${SEARCH_RESULT}${round}` },
    );
  }
  children.push(think([...prompt], 400 + rounds * 900, "I could not find it."));
  return {
    key,
    startUnixMs,
    root: {
      name: "default.session",
      attributes: {
        "agentops.span.kind": "session",
        "agentops.tags": '["bridge-graph"]',
        "agentops.session.end_state": "Success",
      },
      children: [
        {
          name: "langgraph.workflow.execute",
          attributes: { "agentops.span.kind": "workflow", "workflow.type": "langgraph_invoke" },
          ok: true,
          children,
        },
      ],
    },
  };
}

function think(prompt: readonly Message[], inputTokens: number, completion?: string): Step {
  const tries = prompt.filter(({ role }) => role === "assistant").length;
  const answer = completion ?? `search (try ${tries + 1})`;
  const call = { ...GPT_4O, prompt, completion: answer, inputTokens, outputTokens: 20 };
  return {
    name: "langgraph.node.execute",
    attributes: {
      "agentops.span.kind": "llm",
      "agentops.entity.name": "Node: think",
      ...modelAttributes(call),
    },
    ms: 1_200,
    ok: true,
  };
}

function search(): Step {
  return {
    name: "search.tool",
    attributes: {
      "agentops.span.kind": "tool",
      "tool.name": "search",
      "tool.parameters": '{"query": "bridge Kiel built"}',
      "tool.result": SEARCH_RESULT,
    },
    ms: 300,
    ok: true,
  };
}
