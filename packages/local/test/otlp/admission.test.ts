import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MAX_WAITING_BYTES } from "../../src/otlp/admission.js";
import { MAX_EXPORT_BYTES } from "../../src/otlp/body.js";
import { startTestServer, type TestServer } from "../harness.js";
import { exportOf, newTraceId, spanAt, toJson } from "../otlp-message.js";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Announces an export of that size, and sends none of it. */
function announce(bytes: number): ClientRequest {
  const post = request(`${server.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": bytes },
  });
  post.on("error", () => {});
  post.flushHeaders();
  return post;
}

function send() {
  const body = toJson(exportOf(spanAt(0, 1, { traceId: newTraceId() })));
  const headers = { "content-type": "application/json" };
  return fetch(`${server.url}/v1/traces`, { method: "POST", headers, body });
}

test("more than fits is refused before it is read, and taken once there is room", async () => {
  const waiting = Array.from({ length: MAX_WAITING_BYTES / MAX_EXPORT_BYTES }, () =>
    announce(MAX_EXPORT_BYTES),
  );
  await expect.poll(async () => (await send()).status).toBe(429);

  const refused = announce(MAX_EXPORT_BYTES);
  const [response] = (await once(refused, "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(429);
  expect(response.headers["retry-after"]).toBe("1");

  for (const post of [...waiting, refused]) post.destroy();
  await expect.poll(async () => (await send()).status).toBe(200);
});
