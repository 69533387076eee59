import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { MAX_RETRY_AFTER_MS, MAX_TRIES } from "../../src/api/retry.js";
import { type FaultServer, openFaultServer } from "./fault-server.js";
import { codeOf, errorOf, never, openFor, scriptBearerGeneration } from "./scripts.js";

const LIST = "GET /v4/traces";
const list = { body: { traces: [], total: 0 } };

let server: FaultServer;

beforeEach(async () => {
  server = await openFaultServer();
  scriptBearerGeneration(server);
});
afterEach(() => server[Symbol.asyncDispose]());

function listTraces(options = {}, signal = never) {
  return openFor(server, options).client().listTraces({ limit: 5 }, signal);
}

describe("a body", () => {
  test("comes back byte for byte", async () => {
    const body = '\uFEFF{"traces" : [ {"name":"naïve 🐙\\u0000"} ],\r\n "total":1e2}\n';
    server.on(LIST, { body });
    expect((await listTraces()).body).toBe(body);
  });

  test("is unpacked when the server compresses it, which it is asked to", async () => {
    const body = `{"traces":[],"total":0,"padding":"${"é".repeat(100_000)}"}`;
    server.on(LIST, { body: gzipSync(body), headers: { "content-encoding": "gzip" } });
    expect((await listTraces()).body).toBe(body);
    expect(server.requests.at(-1)?.headers["accept-encoding"]).toBe("gzip");
  });

  test("that is larger than the bound is not read to its end", async () => {
    server.on(LIST, { body: "x".repeat(200_000) });
    const limits = { maxResponseBytes: 100_000 };
    expect(await codeOf(listTraces({ limits }))).toBe("response_too_large");
  });

  test("of 64 kB that unpacks to 64 MB is stopped at the bound", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(100_000);
    server.on(LIST, { body: bomb, headers: { "content-encoding": "gzip" } });
    const before = process.memoryUsage().rss;
    const limits = { maxResponseBytes: 1024 * 1024 };
    expect(await codeOf(listTraces({ limits }))).toBe("response_too_large");
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * 1024 * 1024);
  });

  test.each([
    ["is not UTF-8", { body: Buffer.from([0x22, 0xff, 0xfe, 0x22]) }],
    ["is no gzip although it says so", { body: "plain", headers: { "content-encoding": "gzip" } }],
    ["has an encoding nobody asked for", { body: "x", headers: { "content-encoding": "br" } }],
  ])("that %s is a bad response", async (_, answer) => {
    server.on(LIST, answer);
    expect(await codeOf(listTraces())).toBe("bad_response");
  });
});

describe("a read is tried again", () => {
  test.each([429, 502, 503, 504])("after HTTP %i", async (status) => {
    server.on(LIST, { status }, list);
    await listTraces();
    expect(server.count(LIST)).toBe(2);
  });

  test("after a connection that broke before the answer", async () => {
    server.on(LIST, { reset: "at once" }, list);
    await listTraces();
    expect(server.count(LIST)).toBe(2);
  });

  test.each([
    ["plain", "x".repeat(1000), {}],
    [
      "compressed",
      gzipSync(Buffer.from(JSON.stringify(Math.random().toString(36)))),
      { "content-encoding": "gzip" },
    ],
  ])("after a connection that broke in the middle of a %s body", async (_, body, headers) => {
    server.on(LIST, { reset: "in the body", body, headers }, list);
    expect(JSON.parse((await listTraces()).body)).toEqual(list.body);
  });

  test(`${MAX_TRIES} times in all`, async () => {
    server.on(LIST, { status: 503 });
    expect(await codeOf(listTraces())).toBe("server_error");
    expect(server.count(LIST)).toBe(MAX_TRIES);
  });

  test("and so is the token exchange, which changes nothing on the server", async () => {
    const token = { body: { token: "abc", project_id: "p" } };
    server.on("POST /v3/auth/token", { reset: "at once" }, { status: 503 }, token);
    await listTraces();
    expect(server.count("POST /v3/auth/token")).toBe(3);
  });
});

describe("a read is not tried again", () => {
  test.each([
    [400, "bad_request"],
    [409, "bad_request"],
    [413, "bad_request"],
    [500, "server_error"],
    [501, "server_error"],
  ])("after HTTP %i", async (status, code) => {
    server.on(LIST, { status, body: { error: "Internal Server Error" } });
    expect(await codeOf(listTraces())).toBe(code);
    expect(server.count(LIST)).toBe(1);
  });

  test("when it takes longer than one request may", async () => {
    server.on(LIST, { ...list, delayMs: 5_000 });
    const started = Date.now();
    expect(await codeOf(listTraces({ limits: { requestTimeoutMs: 100 } }))).toBe("timeout");
    expect(Date.now() - started).toBeLessThan(2_000);
    expect(server.count(LIST)).toBe(1);
  });
});

describe("Retry-After", () => {
  test("in seconds is waited for", async () => {
    server.on(LIST, { status: 429, headers: { "retry-after": "1" } }, list);
    const started = Date.now();
    await listTraces();
    expect(Date.now() - started).toBeGreaterThanOrEqual(1_000);
  });

  test("is waited for as often as the server asks", async () => {
    const later = { status: 429, headers: { "retry-after": "1" } };
    server.on(LIST, ...Array.from({ length: MAX_TRIES }, () => later), list);
    await listTraces();
    expect(server.count(LIST)).toBe(MAX_TRIES + 1);
  });

  test("as a date is waited for", async () => {
    const date = new Date(Date.now() + 2_000).toUTCString();
    server.on(LIST, { status: 503, headers: { "retry-after": date } }, list);
    await listTraces();
    // HTTP dates have whole seconds, so up to one of the two is cut off.
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(date));
  });

  test.each(["86400", "99999999999999999999", new Date(Date.now() + 9e8).toUTCString()])(
    "that goes past the deadline (%s) ends the call at once and says how long to wait",
    async (value) => {
      server.on(LIST, { status: 429, headers: { "retry-after": value } });
      const started = Date.now();
      const error = await errorOf(listTraces());
      expect(error.code).toBe("rate_limited");
      expect(error.hint).toBe(`Try again in ${MAX_RETRY_AFTER_MS / 1000} s.`);
      expect(Date.now() - started).toBeLessThan(1_000);
      expect(server.count(LIST)).toBe(1);
    },
  );

  test.each(["soon", "-5", ""])("that makes no sense (%j) is ignored", async (value) => {
    server.on(LIST, { status: 429, headers: { "retry-after": value } }, list);
    await listTraces();
    expect(server.count(LIST)).toBe(2);
  });
});

describe("the deadline of a call", () => {
  test("covers everything the call does", async () => {
    server.on(LIST, { ...list, delayMs: 10_000 });
    const started = Date.now();
    expect(await codeOf(listTraces({ limits: { callDeadlineMs: 200 } }))).toBe("timeout");
    expect(Date.now() - started).toBeLessThan(2_000);
  });

  test("runs from when the client was made", async () => {
    const client = openFor(server, { limits: { callDeadlineMs: 50 } }).client();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await codeOf(client.listTraces({ limit: 5 }, never))).toBe("timeout");
  });
});

describe("cancelling", () => {
  test("stops the request, closes its connection and tries nothing again", async () => {
    server.on(LIST, { status: 503, delayMs: 300 });
    const controller = new AbortController();
    const read = listTraces({}, controller.signal);
    await expect.poll(() => server.count(LIST)).toBe(1);

    controller.abort();
    expect(await codeOf(read)).toBe("cancelled");
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(server.count(LIST)).toBe(1);
  });

  test("ends a wait between two tries", async () => {
    server.on(LIST, { status: 429, headers: { "retry-after": "20" } });
    const controller = new AbortController();
    const read = listTraces({}, controller.signal);
    await expect.poll(() => server.count(LIST)).toBe(1);
    setTimeout(() => controller.abort(), 50);
    expect(await codeOf(read)).toBe("cancelled");
  });

  test("before the call sends nothing", async () => {
    expect(await codeOf(listTraces({}, AbortSignal.abort()))).toBe("cancelled");
    expect(server.requests).toHaveLength(0);
  });
});

describe("connections", () => {
  test("are kept and used again", async () => {
    const { client } = openFor(server);
    for (let call = 0; call < 10; call += 1) await client().listTraces({ limit: 5 }, never);
    expect(server.count(LIST)).toBe(10);
    expect(server.connectionCount).toBe(1);
  });

  test("that have all died unnoticed cost one try, however many they were", async () => {
    server.on(LIST, { ...list, delayMs: 20 });
    const { client } = openFor(server);
    const read = () => client().listTraces({ limit: 5 }, never);
    await Promise.all(Array.from({ length: MAX_TRIES + 1 }, read));
    const { connectionCount } = server;
    expect(connectionCount).toBe(MAX_TRIES + 1);

    server.on(LIST, ({ connection }) =>
      connection <= connectionCount ? { reset: "at once" } : list,
    );
    await read();
    expect(server.count(LIST)).toBe(connectionCount + 2);
  });

  test("are bounded per server", async () => {
    server.on(LIST, { ...list, delayMs: 20 });
    const { client } = openFor(server, { limits: { maxInFlightPerOrigin: 4 } });
    await Promise.all(Array.from({ length: 20 }, () => client().listTraces({ limit: 5 }, never)));
    expect(server.mostInFlight).toBe(4);
  });

  test("close with the process that opened them", async () => {
    const { agentOps, client } = openFor(server);
    await client().listTraces({ limit: 5 }, never);
    expect(server.openConnectionCount).toBe(1);
    agentOps.close();
    await expect.poll(() => server.openConnectionCount).toBe(0);
  });

  test("open no more once the process closes, and reads under way end", async () => {
    server.on("GET /v4/traces", { delayMs: 60_000 });
    const { agentOps, client } = openFor(server);
    const read = codeOf(client().listTraces({ limit: 5 }, never));
    await expect.poll(() => server.count("GET /v4/traces")).toBe(1);
    agentOps.close();
    expect(await read).toBe("cancelled");
    expect(await codeOf(client().listTraces({ limit: 5 }, never))).toBe("cancelled");
    expect(server.count("GET /v4/traces")).toBe(1);
  });

  test("that nobody accepts are an unreachable server", async () => {
    const { url } = server;
    await server[Symbol.asyncDispose]();
    server = await openFaultServer();
    const error = await errorOf(
      openFor({ ...server, url })
        .client()
        .listTraces({ limit: 5 }, never),
    );
    expect(error.code).toBe("unreachable");
    expect(error.message).toBe(`Cannot reach ${new URL(url).host} (ECONNREFUSED).`);
  });
});

test("https is spoken where the URL says so", async () => {
  const url = server.url.replace("http:", "https:");
  const error = await errorOf(
    openFor({ ...server, url })
      .client()
      .listTraces({ limit: 5 }, never),
  );
  expect(error.code).toBe("unreachable");
  expect(error.hint).toContain("does not speak TLS");
  expect(server.requests).toHaveLength(0);
});

describe("a redirect", () => {
  test("is followed on the same origin with the credentials", async () => {
    server.on(LIST, { status: 307, headers: { location: "/moved" } });
    server.on("GET /moved", list);
    await listTraces();
    expect(server.requests.at(-1)?.headers.authorization).toMatch(/^Bearer /);
  });

  test("to another origin takes no credentials along", async () => {
    await using other = await openFaultServer();
    other.on("GET /elsewhere", list);
    server.on(LIST, { status: 302, headers: { location: `${other.url}/elsewhere` } });
    const { agentOps } = openFor(server);
    const target = { baseUrl: server.url, apiKey: "key", sessionCookie: "cookie" };
    await agentOps.client(target).listTraces({ limit: 5 }, never);

    const { headers } = other.requests[0] ?? {};
    expect(headers).toBeDefined();
    expect(headers).not.toHaveProperty("authorization");
    expect(headers).not.toHaveProperty("cookie");
  });

  test.each(["file:///etc/passwd", "ftp://example.com/", "http://user:pass@127.0.0.1/"])(
    "to %s is refused",
    async (location) => {
      server.on(LIST, { status: 302, headers: { location } });
      const error = await errorOf(listTraces());
      expect(error.code).toBe("invalid_url");
      expect(error.message + error.hint).not.toContain("pass@");
    },
  );

  test("that leads in circles ends after five", async () => {
    server.on(LIST, { status: 302, headers: { location: "/v4/traces" } });
    expect(await codeOf(listTraces())).toBe("bad_response");
    expect(server.count(LIST)).toBe(6);
  });

  test("of the token exchange is not followed: keys go only where they were meant to go", async () => {
    await using other = await openFaultServer();
    server.on("POST /v3/auth/token", { status: 307, headers: { location: `${other.url}/token` } });
    expect(await codeOf(listTraces())).toBe("bad_response");
    expect(other.requests).toHaveLength(0);
  });
});

test("an error never repeats the key, the token or the response", async () => {
  const secret = "sk-secret-in-a-response";
  for (const status of [400, 401, 403, 404, 409, 422, 429, 500, 503]) {
    server.on(LIST, { status, body: { detail: secret, error: secret } });
    const error = await errorOf(
      openFor(server).client("my-own-key").listTraces({ limit: 5 }, never),
    );
    const told = `${error.message} ${error.hint} ${error.stack}`;
    expect(told).not.toContain(secret);
    expect(told).not.toContain("my-own-key");
  }
});
