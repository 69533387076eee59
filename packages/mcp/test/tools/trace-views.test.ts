import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

test("the conversation tells every message once, although each prompt repeats them all", async () => {
  const { call } = await connect();
  const { text } = await call("trace_detail", {
    trace_id: traceIdOf("bridge"),
    view: "conversation",
  });

  expect(text).toContain("7 model calls, each as what is new since the call before:");
  expect(text.match(/You answer from search results only/g)).toHaveLength(1);
  for (let round = 1; round <= 6; round++) {
    expect(text.match(new RegExp(`search \\(try ${round}\\)`, "g"))).toHaveLength(1);
  }
  expect(text).toMatch(/\(continued, after 12 messages as before\)/);
});

test("the conversation below one span is that of its agents alone", async () => {
  const { call } = await connect();
  const trace_id = traceIdOf("booking-1");
  const { text: found } = await call("search_spans", { trace_id, kind: "agent", name: "Booking" });
  const [, focus_span_id] = /\[(\w+)\]$/m.exec(found) ?? [];
  const { text } = await call("trace_detail", { trace_id, view: "conversation", focus_span_id });

  expect(text).toContain("2 model calls");
  expect(text).not.toContain("Hand each request to the right agent");
});

test("the timeline puts spans in the order in which they started", async () => {
  const { call } = await connect();
  const { text } = await call("trace_detail", {
    trace_id: traceIdOf("booking-6"),
    view: "timeline",
  });
  const names = [...text.matchAll(/^\+[\d.]+ \S+ (.*?) [\d.]+ \S+ /gm)].map(([, name]) => name);

  expect(names).toEqual([
    "session default.session",
    "workflow Agent workflow",
    "agent Triage Agent",
    "llm response gpt-4o-mini-2024-07-18",
    "handoff handoff",
    "agent Booking Agent",
    "llm response gpt-4o-mini-2024-07-18",
    "tool search_flights",
    "llm response gpt-4o-mini-2024-07-18",
    "tool charge_card",
  ]);
});
