import { once } from "node:events";
import { stat, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ProjectsAction, runProjects } from "../src/projects.js";
import { StartError } from "../src/start-error.js";
import {
  answer,
  defaultKey,
  defaultProjectId,
  fetchToken,
  folderForTests,
  postJson,
  readAs,
  startTestServer,
  type TestServer,
} from "./harness.js";
import { exportOf, newTraceId, spanAt, toJson } from "./otlp-message.js";

const dataDir = await folderForTests();

const org = {
  id: "00000000-0000-0000-0000-000000000000",
  name: "local",
  prem_status: "pro",
  current_user_role: "owner",
};

/** Name, id and key of each printed line. */
async function run(action: ProjectsAction) {
  const lines = (await runProjects(action, { dataDir })).trimEnd().split("\n");
  return lines.map((line) => line.split(/ {2,}/));
}

const exchange = (server: TestServer, apiKey: string | undefined) =>
  postJson(`${server.url}/v3/auth/token`, { api_key: apiKey });

test("without a server, projects are listed and made in the data directory itself", async () => {
  const [[name, id, key] = []] = await run({ kind: "create", name: "web shop" });
  expect(name).toBe("web shop");
  expect(await run({ kind: "list" })).toEqual([
    ["default", defaultProjectId, defaultKey],
    ["web shop", id, key],
  ]);
});

test.each<ProjectsAction>([{ kind: "list" }, { kind: "rotate-key", project: "default" }])(
  "in a mistyped folder %o finds nothing and makes nothing",
  async (action) => {
    const mistyped = join(dataDir, "mistyped");
    const refused = runProjects(action, { dataDir: mistyped });
    await expect(refused).rejects.toThrow(`There is no agentops-local data in ${mistyped}.`);
    await expect(stat(mistyped)).rejects.toThrow("ENOENT");
  },
);

describe("while the server runs", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer(dataDir);
  });
  afterAll(() => server.close());

  test("projects are listed and made through it", async () => {
    const [[, id, key] = []] = await run({ kind: "create", name: "search" });
    expect(await run({ kind: "list" })).toContainEqual(["search", id, key]);
    expect((await exchange(server, key)).body.project_id).toBe(id);
  });

  test("a rotated key no longer opens its project, the new one does", async () => {
    const [[, id, old] = []] = await run({ kind: "create", name: "rotated" });
    const [[, sameId, fresh] = []] = await run({ kind: "rotate-key", project: "rotated" });
    expect(sameId).toBe(id);
    expect(fresh).not.toBe(old);
    expect((await exchange(server, old)).status).toBe(403);
    expect((await exchange(server, fresh)).body.project_id).toBe(id);
  });

  test("an id is told from a name that is the same", async () => {
    const [[, id] = []] = await run({ kind: "create", name: "first" });
    await run({ kind: "create", name: id ?? "" });
    const [[name] = []] = await run({ kind: "rotate-key", project: id ?? "" });
    expect(name).toBe("first");
  });

  test("a name is one line of at most 200 characters", async () => {
    for (const name of [
      "a".repeat(201),
      "two\nlines",
      "two\u2028lines",
      "\u202eesrever",
      "esc\u001b[2J",
    ]) {
      await expect(run({ kind: "create", name })).rejects.toThrow(
        "A project's name is one line of 200 characters at most",
      );
    }
    await run({ kind: "create", name: "a".repeat(200) });
  });

  test("a project that is not there is not rotated, and one that is there is not made again", async () => {
    const rotate = run({ kind: "rotate-key", project: "nowhere" });
    await expect(rotate).rejects.toThrow(StartError);
    await run({ kind: "create", name: "twin" });
    await expect(run({ kind: "create", name: " twin " })).rejects.toThrow(
      /is there already\..*projects list/,
    );
    expect((await run({ kind: "list" })).filter(([name]) => name === "twin")).toHaveLength(1);
  });

  test("where it runs is known to this user alone", async () => {
    expect((await stat(join(dataDir, "server-url"))).mode & 0o777).toBe(0o600);
  });

  test("one that has its traces elsewhere than CLICKHOUSE_URL says is not asked", async () => {
    const clickHouse = {
      url: "http://clickhouse:8123",
      username: "",
      password: "",
      database: "mine",
    };
    const refused = runProjects({ kind: "list" }, { dataDir, clickHouse });
    await expect(refused).rejects.toThrow(StartError);
    await expect(refused).rejects.toThrow(
      `has its traces in ${dataDir}, and not in database mine of http://clickhouse:8123, as CLICKHOUSE_URL says`,
    );
  });

  test("one that signs tokens with another secret is there, and not for this user", async () => {
    const refused = runProjects({ kind: "list" }, { dataDir, jwtSecret: "another" });
    await expect(refused).rejects.toThrow(StartError);
    await expect(refused).rejects.toThrow(/answered 401: .*AGENTOPS_LOCAL_JWT_SECRET/);
  });

  test("a project's token sees that project and changes none", async () => {
    const token = await fetchToken(server.url);
    const { body } = await readAs(server.url, "/opsboard/projects", token);
    const project = {
      id: defaultProjectId,
      org_id: org.id,
      name: "default",
      environment: "development",
      api_key: defaultKey,
      org,
    };
    expect(body).toEqual([{ ...project, span_count: 0, trace_count: 0 }]);
    const one = await readAs(server.url, `/opsboard/projects/${defaultProjectId}`, token);
    expect(one).toEqual({ status: 200, body: project });

    for (const path of ["", `/${defaultProjectId}/regenerate-key`]) {
      const response = await fetch(`${server.url}/opsboard/projects${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: '{"name":"mine"}',
      });
      expect(response.status).toBe(403);
    }
    expect((await server.get("/opsboard/projects")).status).toBe(401);
  });

  test("no read crosses projects", async () => {
    const [[, id, key] = []] = await run({ kind: "create", name: "walled" });
    const [mine, theirs] = [await fetchToken(server.url, key), await fetchToken(server.url)];
    const traceId = newTraceId();
    const span = spanAt(0, 1, { traceId });
    const child = spanAt(0, 1, { traceId, parentSpanId: span.spanId });
    const send = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) => {
      const authorization = `Bearer ${mine}`;
      const init = { method: "POST", body, headers: { authorization, ...headers } };
      return await answer(await fetch(server.url + path, init));
    };
    await send("/v1/traces", toJson(exportOf(span, child)), { "content-type": "application/json" });
    await send("/v4/logs/upload/", "text", { "trace-id": String(BigInt(`0x${traceId}`)) });
    const object = await send("/v4/objects/upload/", "bytes");

    const objectPath = new URL(object.body.url).pathname;
    const paths = {
      [`/v4/traces/${traceId}`]: 404,
      [`/public/v1/traces/${traceId}`]: 404,
      [`/public/v1/spans/${span.spanId}`]: 404,
      [`/v4/logs/${traceId}`]: 403,
      [`/opsboard/projects/${id}`]: 404,
      [objectPath]: 404,
    };
    for (const [path, refusal] of Object.entries(paths)) {
      const read = (token: string) => server.get(path, { authorization: `Bearer ${token}` });
      expect((await read(mine)).status, path).toBe(200);
      expect((await read(theirs)).status, path).toBe(refusal);
    }
    const counts = async (token: string) => {
      const [project] = (await readAs(server.url, "/opsboard/projects", token)).body;
      return [project.trace_count, project.span_count];
    };
    expect(await counts(mine)).toEqual([1, 2]);
    expect(await counts(theirs)).toEqual([0, 0]);
  });
});

describe("the address that a killed server left behind is not believed", () => {
  const own = ["default", defaultProjectId, defaultKey];
  const words: [string, string[]][] = [
    ["of three lines", ["earlier", dataDir]],
    ["of one line", []],
  ];

  describe.each(words)("%s", (_name, lines) => {
    const leave = (url: string) =>
      writeFile(join(dataDir, "server-url"), [url, ...lines].join("\n"));

    test("where nobody answers", async () => {
      await leave("http://127.0.0.1:1");
      expect(await run({ kind: "list" })).toContainEqual(own);
    });

    test.each(["{}", '{"instance":"later"}'])(
      "where another program answers %s, which gets no token",
      async (body) => {
        const other = await listen((response) => response.end(body));
        await leave(other.url);
        expect(await run({ kind: "list" })).toContainEqual(own);
        expect(other.credentials.filter((credential) => credential !== undefined)).toEqual([]);
      },
    );
  });

  test("where another program takes the question and never answers", async () => {
    const other = await listen(() => {});
    await writeFile(join(dataDir, "server-url"), `${other.url}\nearlier\n${dataDir}`);
    expect(await run({ kind: "list" })).toContainEqual(own);
    expect(other.credentials).toEqual([undefined]);
  });

  /** What came as `authorization`, by request. */
  async function listen(respond: (response: ServerResponse) => void) {
    const credentials: (string | undefined)[] = [];
    const other = createServer(({ headers }, response) => {
      credentials.push(headers.authorization);
      respond(response);
    });
    onTestFinished(() => void other.close());
    await once(other.listen(0, "127.0.0.1"), "listening");
    return { url: `http://127.0.0.1:${(other.address() as AddressInfo).port}`, credentials };
  }
});
