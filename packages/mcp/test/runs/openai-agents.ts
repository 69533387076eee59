import { GPT_4O_MINI, type Message, modelAttributes, type Run, type Step } from "./run.js";

const system = (text: string): Message => ({ role: "system", content: text });
const user = (text: string): Message => ({ role: "user", content: text });

interface Booking {
  readonly key: string;
  readonly startUnixMs: number;
  readonly city: string;
  /** What the payment tool raises. */
  readonly error?: string;
}

/** A travel desk in the shape of the OpenAI Agents SDK: triage hands over to booking, which pays. */
export function bookingRun({ key, startUnixMs, city, error }: Booking): Run {
  const request = user(`Book me a flight to ${city} tomorrow morning.`);
  const triage = agent("Triage Agent", [
    response([system("Hand each request to the right agent."), request], "transfer_to_booking"),
    {
      name: "handoff",
      attributes: { from_agent: "Triage Agent", to_agent: "Booking Agent" },
      ok: true,
    },
  ]);
  const prompt = [system("Book flights. Ask for nothing you can look up."), request];
  const booking = agent(
    "Booking Agent",
    [
      response(prompt, `search_flights(${city})`),
      tool("search_flights", `{"to": "${city}"}`, '["LH 123 07:40", "BA 97 09:15"]'),
      response([...prompt, { role: "tool", content: '["LH 123 07:40", "BA 97 09:15"]' }], "pay"),
      tool("charge_card", '{"flight": "LH 123", "amount": 214}', '{"paid": true}', error),
    ],
    error,
  );
  return {
    key,
    startUnixMs,
    root: {
      name: "default.session",
      attributes: {
        "agentops.span.kind": "session",
        "agentops.tags": '["travel-desk", "prod"]',
        ...(error === undefined && { "agentops.session.end_state": "Success" }),
      },
      children: [
        {
          name: "Agent workflow",
          attributes: { "workflow.name": "travel desk", "workflow.step.type": "trace" },
          ok: error === undefined,
          ...(error !== undefined && { error }),
          children: [triage, booking],
        },
      ],
    },
  };
}

function agent(name: string, children: readonly Step[], error?: string): Step {
  const attributes = { "agentops.span.kind": "agent", "agent.name": name };
  return {
    name,
    attributes,
    children,
    ok: error === undefined,
    ...(error !== undefined && { error }),
  };
}

function response(prompt: readonly Message[], completion: string): Step {
  const call = { ...GPT_4O_MINI, prompt, completion, inputTokens: 320, outputTokens: 24 };
  const attributes = { "agentops.span.kind": "llm", ...modelAttributes(call) };
  return { name: "response", attributes, ms: 800, ok: true };
}

function tool(name: string, input: string, result: string, error?: string): Step {
  return {
    name,
    attributes: {
      "agentops.span.kind": "tool",
      "tool.name": name,
      "tool.parameters": input,
      ...(error === undefined && { "tool.result": result }),
    },
    ms: 150,
    ok: error === undefined,
    ...(error !== undefined && { error }),
  };
}
