import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { createCloud, EXCHANGE_TIMEOUT_MS } from "../../src/forward/cloud.js";
import type { Entry } from "../../src/forward/queue.js";

/** A cloud whose every fault is scripted: a real one does not show them on demand. */
type Script = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serverThat(script: Script) {
  server = createServer(script);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}` };
}

async function cloudThat(script: Script) {
  const { url } = await serverThat(script);
  return createCloud({ urls: { api: url, exporter: url }, fetch });
}

const apiKey = "11111111-2222-3333-4444-555555555555";
const projectId = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const entry: Entry = {
  target: "exporter",
  path: "/v1/traces",
  headers: { "content-type": "application/json" },
  apiKey,
  body: Buffer.from("{}"),
};
const untilDone = new AbortController().signal;

const isExchange = ({ url }: IncomingMessage) => url === "/v3/auth/token";

function answerToken(response: ServerResponse, token: string): void {
  response.end(JSON.stringify({ token, project_id: projectId }));
}

test("a token that the cloud no longer takes is exchanged anew, once", async () => {
  let issued = 0;
  const seen: (string | undefined)[] = [];
  const cloud = await cloudThat((request, response) => {
    if (isExchange(request)) return answerToken(response, `token-${++issued}`);
    seen.push(request.headers.authorization);
    response.writeHead(request.headers.authorization === "Bearer token-1" ? 401 : 200).end();
  });
  await cloud.exchange(apiKey);
  expect(await cloud.deliver(entry, untilDone)).toBe("sent");
  expect(await cloud.deliver(entry, untilDone)).toBe("sent");
  expect(seen).toEqual(["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
});

test.each([
  [200, "sent"],
  [400, "never"],
  [401, "never"],
  [404, "later"],
  [405, "later"],
  [413, "never"],
  [429, "later"],
  [500, "later"],
  [503, "later"],
])("an entry answered with %i is settled as %s", async (status, delivery) => {
  const cloud = await cloudThat((request, response) => {
    if (isExchange(request)) return answerToken(response, "token");
    response.writeHead(status).end();
  });
  expect(await cloud.deliver(entry, untilDone)).toBe(delivery);
});

test.each([
  [400, "{}", "refused"],
  [401, "{}", "refused"],
  [403, "{}", "refused"],
  [422, "{}", "refused"],
  [403, "<html>Sign in to this network</html>", "unreachable"],
  [404, "{}", "unreachable"],
  [429, "{}", "unreachable"],
  [501, "<html>Unsupported method</html>", "unreachable"],
  [502, "{}", "unreachable"],
])("an exchange answered with %i and %s is %s", async (status, body, kind) => {
  const cloud = await cloudThat((_, response) => response.writeHead(status).end(body));
  expect(await cloud.exchange(apiKey)).toEqual({ kind });
});

test.each([
  ["a cloud", { "/v3/auth/token": 400, "/v1/traces": 415 }, []],
  ["no API", { "/v3/auth/token": 404, "/v1/traces": 401 }, ["api"]],
  ["no collector", { "/v3/auth/token": 400, "/v1/traces": 404 }, ["exporter"]],
  ["nothing", {}, ["api", "exporter"]],
])(
  "%s is found out without a key or a span",
  async (_, statuses: Record<string, number>, missing) => {
    const bodies: string[] = [];
    const { url } = await serverThat(async (request, response) => {
      bodies.push(await text(request));
      response.writeHead(statuses[request.url?.replace(/^\/\w+/, "") ?? ""] ?? 404).end("{}");
    });
    const urls = { api: `${url}/api`, exporter: `${url}/exporter` };
    const found = await createCloud({ urls, fetch }).missing();
    expect(found).toEqual(missing.map((name) => `${url}/${name}`));
    expect(bodies.sort()).toEqual(["", '{"api_key":""}']);
  },
);

test("an answer that names no project is not believed", async () => {
  const cloud = await cloudThat((_, response) => response.end('{"token":"t","project_id":"../x"}'));
  expect(await cloud.exchange(apiKey)).toEqual({ kind: "unreachable" });
});

test("a redirect is not followed: neither key nor token goes to another host", async () => {
  const paths: (string | undefined)[] = [];
  const cloud = await cloudThat(({ url }, response) => {
    paths.push(url);
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect(await cloud.exchange(apiKey)).toEqual({ kind: "unreachable" });
  expect(await cloud.deliver(entry, untilDone)).toBe("later");
  expect(new Set(paths)).toEqual(new Set(["/v3/auth/token"]));
});

test("a cloud that takes a connection and says nothing holds an SDK up no longer than the limit", async () => {
  const cloud = await cloudThat(() => {});
  const start = Date.now();
  expect(await cloud.exchange(apiKey)).toEqual({ kind: "unreachable" });
  expect(Date.now() - start).toBeLessThan(EXCHANGE_TIMEOUT_MS + 2000);
});

test("a delivery under way ends when the server closes, to be tried again", async () => {
  const closing = new AbortController();
  const cloud = await cloudThat((request, response) => {
    if (isExchange(request)) return answerToken(response, "token");
    closing.abort();
  });
  expect(await cloud.deliver(entry, closing.signal)).toBe("later");
});
