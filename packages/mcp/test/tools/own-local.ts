import { afterAll, beforeAll } from "vitest";
import { type RunningLocal, startLocal } from "../../../../test/start-local.js";
import { type Connection, connectOverStdio } from "../mcp-client.js";
import { sendRuns } from "../runs/send.js";
import { weekOfRuns } from "../runs/week.js";

/**
 * A real agentops-local for all tests of a file, which holds the week of runs and nothing else. Returns
 * how a test connects to the built server that reads it.
 */
export function localWithWeek(): () => Promise<Connection> {
  let local: RunningLocal | undefined;
  beforeAll(async () => {
    local = await startLocal();
    await sendRuns(local.url, weekOfRuns(Date.now()));
  });
  afterAll(() => local?.stop());

  return () => {
    if (local === undefined) throw new Error("agentops-local is not running");
    return connectOverStdio({ AGENTOPS_API_KEY: local.apiKey, AGENTOPS_API_URL: local.url });
  };
}
