import { type ModelCall, modelAttributes, type Run, type Step } from "./run.js";

interface Crew {
  readonly key: string;
  readonly startUnixMs: number;
  readonly model: Pick<ModelCall, "model" | "price">;
  /** The writer's instructions. */
  readonly instructions: string;
  readonly writerTokens: number;
}

/** A crew of two in the shape of CrewAI, whose root carries the sum of all tokens once more. */
export function crewRun({ key, startUnixMs, model, instructions, writerTokens }: Crew): Run {
  const research = task("Find three facts about whales", "Website Researcher", {
    ...model,
    prompt: [
      { role: "system", content: "You research websites." },
      { role: "user", content: "Find three facts about whales" },
    ],
    completion: "Whales breathe air. They sing. The blue whale is the largest animal.",
    inputTokens: 2_400,
    outputTokens: 300,
  });
  const write = task("Write a song about them", "Songwriter", {
    ...model,
    prompt: [
      { role: "system", content: instructions },
      { role: "user", content: "Write a song about them" },
    ],
    completion: "O whale, o whale",
    inputTokens: 900,
    outputTokens: writerTokens,
  });
  return {
    key,
    startUnixMs,
    root: {
      name: "crewai.workflow",
      attributes: {
        "agentops.span.kind": "workflow",
        "agentops.tags": '["song-crew"]',
        "gen_ai.usage.prompt_tokens": "3300",
        "gen_ai.usage.completion_tokens": String(300 + writerTokens),
        "gen_ai.usage.total_tokens": String(3_600 + writerTokens),
      },
      ok: true,
      children: [research, write],
    },
  };
}

function task(description: string, role: string, call: ModelCall): Step {
  const llm: Step = {
    name: `${call.model}.llm`,
    attributes: { "agentops.span.kind": "llm", ...modelAttributes(call) },
    ms: call.outputTokens * 10,
    ok: true,
  };
  return {
    name: `${description}.task`,
    attributes: { "agentops.span.kind": "workflow.step" },
    ok: true,
    children: [
      {
        name: `${role}.agent`,
        attributes: { "agentops.span.kind": "agent", "agent.role": role },
        ok: true,
        children: [llm],
      },
    ],
  };
}
