import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MAX_UPLOAD_BYTES } from "../../src/rest/uploads.js";
import { answer, fetchToken, readAs, startTestServer, type TestServer } from "../harness.js";
import { exportOf, newTraceId, spanAt, toJson } from "../otlp-message.js";

let server: TestServer;
let token: string;
beforeAll(async () => {
  server = await startTestServer();
  token = await fetchToken(server.url);
});
afterAll(() => server.close());

const decimal = (traceId: string) => String(BigInt(`0x${traceId}`));

function upload(path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) {
  const authorization = `Bearer ${token}`;
  return fetch(server.url + path, { method: "POST", body, headers: { authorization, ...headers } });
}

async function uploadLog(text: string, traceId: string) {
  return await answer(await upload("/v4/logs/upload/", text, { "trace-id": traceId }));
}

const unusualIds = ["12345678901234567890123456789012", "00000000000000000000000000000007"];

test.each([newTraceId(), ...unusualIds])(
  "the log of trace %s, uploaded by its decimal id, is read by its own",
  async (traceId) => {
    const text = JSON.stringify({ body: `first line of ${traceId}\nzweite Zeile 🙂` });
    const uploaded = await uploadLog(text, decimal(traceId));
    expect(uploaded).toEqual({
      status: 200,
      body: { url: `${server.url}/v4/logs/${traceId}`, size: Buffer.byteLength(text) },
    });
    expect(await server.read(`/v4/logs/${traceId}`)).toEqual({
      status: 200,
      body: { freeplan_truncated: false, content: text, trace_id: traceId },
    });
  },
);

test("a log uploaded again replaces the one before", async () => {
  const traceId = newTraceId();
  await uploadLog("old", decimal(traceId));
  await uploadLog("new", decimal(traceId));
  expect((await server.read(`/v4/logs/${traceId}`)).body.content).toBe("new");
});

test("a log uploaded before the SDK has its token goes to the default project", async () => {
  const traceId = newTraceId();
  const headers = { "trace-id": decimal(traceId) };
  const response = await fetch(`${server.url}/v4/logs/upload/`, {
    method: "POST",
    headers,
    body: "early",
  });
  expect(response.status).toBe(200);
  expect((await server.read(`/v4/logs/${traceId}`)).body.content).toBe("early");
});

test("a trace without a log is told from one that is not there", async () => {
  const traceId = newTraceId();
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const body = toJson(exportOf(spanAt(0, 1, { traceId })));
  await fetch(`${server.url}/v1/traces`, { method: "POST", headers, body });

  expect(await server.read(`/v4/logs/${traceId}`)).toEqual({
    status: 404,
    body: { detail: `No logs found for trace ID: ${traceId}` },
  });
  expect(await server.read(`/v4/logs/${newTraceId()}`)).toEqual({
    status: 403,
    body: { detail: "You do not have access to this trace" },
  });
});

test("an object comes back byte for byte, and never as a page", async () => {
  const content = new Uint8Array(randomBytes(300_000));
  const { body } = await answer(await upload("/v4/objects/upload/", content));
  expect(body.size).toBe(content.length);

  const response = await fetch(body.url, { headers: { authorization: `Bearer ${token}` } });
  expect(Buffer.from(await response.arrayBuffer()).equals(content)).toBe(true);
  expect(response.headers.get("content-type")).toBe("application/octet-stream");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
});

test.each(["/v4/logs/upload/", "/v4/objects/upload/"])(
  "%s takes as much as AgentOps does, and not one byte more",
  async (path) => {
    const headers = { "trace-id": "7" };
    const most = new Uint8Array(MAX_UPLOAD_BYTES).fill(120);
    expect((await upload(path, most, headers)).status).toBe(200);
    const response = await upload(path, new Uint8Array(MAX_UPLOAD_BYTES + 1), headers);
    expect(await answer(response)).toEqual({
      status: 413,
      body: { detail: "File size exceeds the maximum limit of 26214400 bytes" },
    });
  },
);

test("a client that reads no answer before all is sent, and closes, gets the 413", async () => {
  const post = request(`${server.url}/v4/objects/upload/`, {
    method: "POST",
    agent: false,
    headers: { connection: "close", "content-length": MAX_UPLOAD_BYTES + 1 },
  });
  const answered = once(post, "response");
  for (const half of [MAX_UPLOAD_BYTES, 1]) {
    await new Promise<void>((resolve, reject) => {
      post.write(new Uint8Array(half), (error) => (error ? reject(error) : resolve()));
    });
  }
  post.end();
  const [response] = await answered;
  expect(response.statusCode).toBe(413);
});

test.each([
  [{}, "No trace ID provided"],
  [{ "trace-id": "../secret" }, "Trace ID contains invalid characters"],
])("a log needs a trace id of plain characters (%#)", async (headers, detail) => {
  const response = await upload("/v4/logs/upload/", "text", headers);
  expect(await answer(response)).toEqual({ status: 400, body: { detail } });
});

test("a token from elsewhere is as good as none on this machine", async () => {
  const headers = { "trace-id": "7", authorization: "Bearer abc" };
  expect((await upload("/v4/logs/upload/", "text", headers)).status).toBe(200);
});

test("reading needs a token", async () => {
  for (const path of [`/v4/logs/${newTraceId()}`, "/v4/objects/0123"]) {
    expect((await server.get(path)).status).toBe(401);
  }
});

test("an object that is not there is a 404", async () => {
  expect(await readAs(server.url, "/v4/objects/0123", token)).toEqual({
    status: 404,
    body: { detail: "Object not found" },
  });
});

describe("where other machines can send", () => {
  let exposed: TestServer;
  beforeAll(async () => {
    await server.close();
    exposed = await startTestServer(undefined, { host: "0.0.0.0" });
  });
  afterAll(async () => {
    await exposed.close();
    server = await startTestServer();
  });

  test.each([
    [{}, "Authorization header missing"],
    [{ authorization: "Basic abc" }, "Invalid authentication scheme"],
    [{ authorization: "Bearer" }, "Invalid token format"],
    [{ authorization: "Bearer a b" }, "Invalid token format"],
    [{ authorization: "Bearer abc" }, "Invalid token"],
  ])("an upload with the headers %j is refused", async (credentials, detail) => {
    for (const path of ["/v4/logs/upload/", "/v4/objects/upload/"]) {
      const headers = { "trace-id": "7", ...credentials };
      const response = await fetch(exposed.url + path, { method: "POST", body: "text", headers });
      expect(await answer(response)).toEqual({ status: 401, body: { detail } });
    }
  });
});
