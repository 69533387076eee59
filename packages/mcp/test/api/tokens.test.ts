import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { defaultLimits } from "../../src/api/agentops.js";
import { createTokens, MAX_TOKEN_AGE_MS, MAX_TOKENS } from "../../src/api/tokens.js";
import { createTransport } from "../../src/api/transport.js";
import { type FaultServer, openFaultServer, routeNotFound } from "./fault-server.js";
import {
  apiKey,
  codeOf,
  jwt,
  never,
  openFor,
  projectId,
  scriptBearerGeneration,
  staleToken400,
  staleToken401,
  tokenAnswer,
} from "./scripts.js";

const EXCHANGE = "POST /v3/auth/token";
const PUBLIC_EXCHANGE = "POST /public/v1/auth/access_token";
const LIST = "GET /v4/traces";
const list = { body: { traces: [], total: 0 } };

let server: FaultServer;

beforeEach(async () => {
  server = await openFaultServer();
  scriptBearerGeneration(server);
});
afterEach(() => server[Symbol.asyncDispose]());

describe("a key is exchanged for a token", () => {
  test("with the body and the route that AgentOps documents", async () => {
    await openFor(server).client("the-key").listTraces({ limit: 7 }, never);
    const [exchange, read] = server.requests;
    expect(exchange).toMatchObject({ path: "/v3/auth/token", body: '{"api_key":"the-key"}' });
    expect(exchange?.headers["content-type"]).toBe("application/json");
    expect(read?.path).toBe("/v4/traces?limit=7");
    expect(read?.headers.authorization).toBe(`Bearer ${Object(tokenAnswer.body).token}`);
  });

  test("on the public route where the other one is missing, and the token names the project", async () => {
    server.on(EXCHANGE, routeNotFound);
    server.on(PUBLIC_EXCHANGE, { body: { bearer: jwt({}) } });
    server.on(LIST, routeNotFound);
    server.on(`GET /v4/traces/list/${projectId}`, list);
    await openFor(server).client().listTraces({ limit: 5 }, never);
    expect(server.log.at(-1)).toBe(`GET /v4/traces/list/${projectId}?limit=5`);
  });

  test("once for a hundred calls that come at the same time", async () => {
    server.on(EXCHANGE, { ...tokenAnswer, delayMs: 100 });
    const { client } = openFor(server);
    await Promise.all(Array.from({ length: 100 }, () => client().listTraces({ limit: 5 }, never)));
    expect(server.count(EXCHANGE)).toBe(1);
    expect(server.count(LIST)).toBe(100);
  });

  test("separately for each key and each URL", async () => {
    const { agentOps, client } = openFor(server);
    await client("one").listTraces({ limit: 5 }, never);
    await client("two").listTraces({ limit: 5 }, never);
    const baseUrl = server.url.replace("127.0.0.1", "localhost");
    await agentOps.client({ baseUrl, apiKey: "one" }).listTraces({ limit: 5 }, never);
    expect(server.count(EXCHANGE)).toBe(3);
  });
});

describe("a token", () => {
  test("is used for a quarter of an hour and no longer", async () => {
    let nowMs = Date.now();
    const { client } = openFor(server, { now: () => nowMs });
    await client().listTraces({ limit: 5 }, never);
    nowMs += MAX_TOKEN_AGE_MS - 1;
    await client().listTraces({ limit: 5 }, never);
    expect(server.count(EXCHANGE)).toBe(1);

    nowMs += 1;
    await client().listTraces({ limit: 5 }, never);
    expect(server.count(EXCHANGE)).toBe(2);
  });

  test("is used only until it says that it expires", async () => {
    let nowMs = Date.now();
    const exp = Math.floor(nowMs / 1000) + 60;
    server.on(EXCHANGE, { body: { token: jwt({ exp }), project_id: projectId } });
    const { client } = openFor(server, { now: () => nowMs });
    await client().listTraces({ limit: 5 }, never);
    nowMs += 60_000;
    await client().listTraces({ limit: 5 }, never);
    expect(server.count(EXCHANGE)).toBe(2);
  });

  test("that looks expired on arrival is still used: the server's clock counts", async () => {
    server.on(EXCHANGE, { body: { token: jwt({ exp: 1 }), project_id: projectId } });
    const { client } = openFor(server);
    await client().listTraces({ limit: 5 }, never);
    await client().listTraces({ limit: 5 }, never);
    expect(server.count(EXCHANGE)).toBe(1);
  });

  test.each(["opaque", "a.b.c", `x.${Buffer.from("[1]").toString("base64url")}.y`])(
    "need not be a JWT (%s)",
    async (token) => {
      server.on(EXCHANGE, { body: { token, project_id: projectId } });
      await openFor(server).client().listTraces({ limit: 5 }, never);
      expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${token}`);
    },
  );

  describe("is forgotten", () => {
    const transport = createTransport({
      ...defaultLimits,
      userAgent: "test",
      mayBePrivate: () => true,
      now: Date.now,
    });
    afterAll(() => transport.close());

    function openTokens() {
      const tokens = createTokens({ transport, now: Date.now });
      const call = { signal: never, deadlineAtMs: Infinity };
      const open = (id: string) => tokens.session({ id, baseUrl: server.url, apiKey }, call);
      return { open, clear: tokens.clear };
    }

    test("when the process closes", async () => {
      const { open, clear } = openTokens();
      await open("key");
      clear();
      await open("key");
      expect(server.count(EXCHANGE)).toBe(2);
    });

    test("when a thousand others are newer", async () => {
      const { open } = openTokens();
      await open("first");
      for (let other = 0; other < MAX_TOKENS; other += 1) await open(`${other}`);
      await open(`${MAX_TOKENS - 1}`);
      expect(server.count(EXCHANGE)).toBe(1 + MAX_TOKENS);
      await open("first");
      expect(server.count(EXCHANGE)).toBe(2 + MAX_TOKENS);
    });
  });
});

describe("a read that is answered with a stale token", () => {
  test.each([
    ["401", staleToken401],
    ["400 Invalid Bearer token", staleToken400],
  ])("(%s) is repeated once with a new token", async (_, stale) => {
    server.on(
      EXCHANGE,
      { body: { token: "old", project_id: "p" } },
      { body: { token: "new", project_id: "p" } },
    );
    server.on(LIST, list, stale, list);
    const { client } = openFor(server);
    await client().listTraces({ limit: 5 }, never);
    await client().listTraces({ limit: 5 }, never);
    const tokens = server.requests.map(({ headers }) => headers.authorization).filter(Boolean);
    expect(tokens).toEqual(["Bearer old", "Bearer old", "Bearer new"]);
  });

  test("twice in a row fails", async () => {
    server.on(LIST, staleToken401);
    expect(await codeOf(openFor(server).client().listTraces({ limit: 5 }, never))).toBe(
      "forbidden",
    );
    expect(server.count(EXCHANGE)).toBe(2);
    expect(server.count(LIST)).toBe(2);
  });

  test("renews it once for fifty reads that all notice", async () => {
    server.on(
      EXCHANGE,
      { body: { token: "old", project_id: "p" } },
      { body: { token: "new", project_id: "p" }, delayMs: 50 },
    );
    server.on(LIST, ({ headers }) =>
      headers.authorization === "Bearer new" ? list : staleToken401,
    );
    const { client } = openFor(server);
    await Promise.all(Array.from({ length: 50 }, () => client().listTraces({ limit: 5 }, never)));
    expect(server.count(EXCHANGE)).toBe(2);
  });

  test.each([{ detail: "Bad request" }, "no JSON"])(
    "is not meant by any other 400 (%j)",
    async (body) => {
      server.on(LIST, { status: 400, body });
      expect(await codeOf(openFor(server).client().listTraces({ limit: 5 }, never))).toBe(
        "bad_request",
      );
      expect(server.count(EXCHANGE)).toBe(1);
    },
  );
});

describe("an exchange that fails", () => {
  test.each([
    [400, { error: "Invalid API key format" }],
    [403, { error: "Invalid API key" }],
  ])("with HTTP %i is an invalid key", async (status, body) => {
    server.on(EXCHANGE, { status, body });
    expect(await codeOf(openFor(server).client().listTraces({ limit: 5 }, never))).toBe(
      "invalid_api_key",
    );
    expect(server.count(LIST)).toBe(0);
  });

  test.each([
    [400, { detail: "Invalid api_key format" }],
    [404, { detail: "Project not found" }],
  ])("on the public route with HTTP %i is an invalid key", async (status, body) => {
    server.on(EXCHANGE, routeNotFound);
    server.on(PUBLIC_EXCHANGE, { status, body });
    expect(await codeOf(openFor(server).client().listTraces({ limit: 5 }, never))).toBe(
      "invalid_api_key",
    );
  });

  test.each([
    ["no AgentOps at all", routeNotFound, "bad_response"],
    ["a web page", { status: 404, body: "<html>404</html>" }, "bad_response"],
    ["a web page that is fine", { body: "<html>welcome</html>" }, "bad_response"],
    ["another shape", { body: { jwt: "x" } }, "bad_response"],
    ["a token with a line break", { body: { token: "a\r\nx: y" } }, "bad_response"],
    ["a failing server", { status: 500, body: { error: "Authentication failed" } }, "server_error"],
    ["a request it cannot read", { status: 422, body: { detail: [] } }, "bad_request"],
  ])("because there is %s says so", async (_, answer, code) => {
    server.on(EXCHANGE, answer);
    expect(await codeOf(openFor(server).client().listTraces({ limit: 5 }, never))).toBe(code);
  });

  test("is not remembered", async () => {
    server.on(EXCHANGE, { status: 500 }, tokenAnswer);
    const { client } = openFor(server);
    expect(await codeOf(client().listTraces({ limit: 5 }, never))).toBe("server_error");
    await client().listTraces({ limit: 5 }, never);
  });
});

describe("cancelling while a token is fetched", () => {
  test("leaves the exchange to the others who wait for it", async () => {
    server.on(EXCHANGE, { ...tokenAnswer, delayMs: 150 });
    const { client } = openFor(server);
    const controller = new AbortController();
    const first = client().listTraces({ limit: 5 }, controller.signal);
    const second = client().listTraces({ limit: 5 }, never);
    setTimeout(() => controller.abort(), 50);

    expect(await codeOf(first)).toBe("cancelled");
    expect((await second).body).toBe(JSON.stringify(list.body));
    expect(server.count(EXCHANGE)).toBe(1);
  });

  test("stops the exchange when nobody else waits, and the next call starts another", async () => {
    server.on(EXCHANGE, { ...tokenAnswer, delayMs: 2_000 }, tokenAnswer);
    const { client } = openFor(server);
    const controller = new AbortController();
    const first = client().listTraces({ limit: 5 }, controller.signal);
    await expect.poll(() => server.count(EXCHANGE)).toBe(1);
    controller.abort();
    expect(await codeOf(first)).toBe("cancelled");

    const started = Date.now();
    await client().listTraces({ limit: 5 }, never);
    expect(Date.now() - started).toBeLessThan(1_500);
  });
});
