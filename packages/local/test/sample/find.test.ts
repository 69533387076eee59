import { afterAll, beforeAll, expect, test } from "vitest";
import { findSampleRuns, sendSampleRuns } from "../../src/sample/send.js";
import { StartError } from "../../src/start-error.js";
import { fetchToken, startTestServer, type TestServer } from "../harness.js";
import { exportOf, newTraceId, spanAt, text, toJson } from "../otlp-message.js";

let server: TestServer;
let options: { url: string; token: string };
beforeAll(async () => {
  server = await startTestServer();
  options = { url: server.url, token: await fetchToken(server.url) };
});
afterAll(() => server.close());

/** Three runs whose session has that attribute. */
async function addSessions(key: string, value: string) {
  const attributes = [text("agentops.span.kind", "session"), text(key, value)];
  const spans = [0, 1, 2].map((startMs) =>
    spanAt(startMs, 1, { traceId: newTraceId(), attributes }),
  );
  const { status } = await fetch(`${server.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: toJson(exportOf(...spans)),
  });
  expect(status).toBe(200);
}

test("runs that a user tagged `sample` are no sample runs", async () => {
  await addSessions("agentops.tags", '["sample"]');
  expect(await findSampleRuns(options)).toBeUndefined();
});

test("sample runs of which some are missing are not found", async () => {
  await addSessions("agentops_local.sample", "support-bot.session");
  expect(await findSampleRuns(options)).toBeUndefined();
});

test("sample runs are found once all are there, and of several the newest", async () => {
  await sendSampleRuns(options);
  const traceIds = await sendSampleRuns(options);
  expect(await findSampleRuns(options)).toEqual(traceIds);
});

test("a server that does not search is an error that says what it answered", async () => {
  const refused = findSampleRuns({ ...options, token: "none" });
  await expect(refused).rejects.toThrow(StartError);
  await expect(refused).rejects.toThrow(/^The server answered 401 when it was asked for/);
});
