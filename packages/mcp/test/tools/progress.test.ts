import type { Progress } from "@modelcontextprotocol/client";
import { expect, test } from "vitest";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

test.each([
  ["find_failures", {}],
  ["trace_metrics", { group_by: "agent" }],
  ["search_spans", { text: "report", agent: "Planner" }],
])("%s tells who asked how many of the traces are read", async (name, args) => {
  const { client } = await connect();
  const heard: Progress[] = [];
  await client.callTool({ name, arguments: args }, { onprogress: (each) => heard.push(each) });

  const message = "Reading traces";
  const steps = Array.from({ length: 11 }, (_, i) => ({ progress: i + 1, total: 11, message }));
  // The answer may overtake the last step, and then the client hears of it no more.
  expect(heard.length).toBeGreaterThanOrEqual(10);
  expect(heard).toEqual(steps.slice(0, heard.length));
});
