import { once } from "node:events";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAdmission, MAX_WAITING_BYTES, NoRoomError } from "../src/admission.js";
import { MAX_EXPORT_BYTES } from "../src/otlp/export-limits.js";
import { MAX_UPLOAD_BYTES } from "../src/rest/uploads.js";
import { REQUEST_TIMEOUT_MS } from "../src/server.js";
import { startTestServer, type TestServer } from "./harness.js";
import { exportOf, newTraceId, spanAt, toJson } from "./otlp-message.js";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

const JSON_TYPE = "application/json";

/** Announces a body of that size, and sends none of it. */
function announce(path: string, bytes: number): ClientRequest {
  const post = request(server.url + path, {
    method: "POST",
    headers: { "content-type": JSON_TYPE, "content-length": bytes },
  });
  post.on("error", () => {});
  post.flushHeaders();
  return post;
}

function announceMany(path: string, bytes: number): ClientRequest[] {
  const count = Math.floor(MAX_WAITING_BYTES / bytes);
  return Array.from({ length: count }, () => announce(path, bytes));
}

async function answerTo(post: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(post, "response")) as [IncomingMessage];
  return response;
}

function send() {
  const body = toJson(exportOf(spanAt(0, 1, { traceId: newTraceId() })));
  const headers = { "content-type": JSON_TYPE };
  return fetch(`${server.url}/v1/traces`, { method: "POST", headers, body });
}

test.each([
  ["/v1/traces", MAX_EXPORT_BYTES],
  ["/v4/objects/upload/", MAX_UPLOAD_BYTES],
])(
  "more than fits is refused before it is read, and taken once there is room: %s",
  async (path, bytes) => {
    const waiting = announceMany(path, bytes);
    await expect
      .poll(async () => {
        const probe = announce(path, bytes);
        const { statusCode, headers } = await answerTo(probe);
        probe.destroy();
        return [statusCode, headers["retry-after"]];
      })
      .toEqual([429, "1"]);

    for (const post of waiting) post.destroy();
    await expect.poll(async () => (await send()).status).toBe(200);
    expect(server.errors).toEqual([]);
  },
);

test("what inflates takes room as it does", async () => {
  const padded = Buffer.alloc(60 * 1024 * 1024, " ");
  padded.write('{"resourceSpans":[]}');
  const body = new Uint8Array(gzipSync(padded));
  expect(body.length).toBeLessThan(100_000);
  const headers = { "content-type": JSON_TYPE, "content-encoding": "gzip" };
  const responses = await Promise.all(
    Array.from({ length: 20 }, () =>
      fetch(`${server.url}/v1/traces`, { method: "POST", headers, body }),
    ),
  );

  const statuses = new Set(responses.map(({ status }) => status));
  expect(statuses).toEqual(new Set([200, 429]));
  expect((await send()).status).toBe(200);
});

test("no more is let in than fits, and its room is free again when it has gone wrong", async () => {
  const { admit } = createAdmission();
  await admit(async (takeRoom) => {
    takeRoom(MAX_WAITING_BYTES - 1);
    await expect(admit(async (takeMore) => takeMore(2))).rejects.toThrow(NoRoomError);
    await admit(async (takeMore) => takeMore(1));
  });
  const failure = admit(async (takeRoom) => {
    takeRoom(MAX_WAITING_BYTES);
    throw new Error("The disk is gone.");
  });
  await expect(failure).rejects.toThrow("The disk is gone.");
  await admit(async (takeRoom) => takeRoom(MAX_WAITING_BYTES));
});

test("a sender that stalls loses its room", { timeout: 2 * REQUEST_TIMEOUT_MS }, async () => {
  const stalled = announceMany("/v1/traces", MAX_EXPORT_BYTES);
  const responses = await Promise.all(stalled.map(answerTo));
  expect(responses.map(({ statusCode }) => statusCode)).toEqual(stalled.map(() => 408));
  expect((await send()).status).toBe(200);
  expect(server.errors).toEqual([]);
});
