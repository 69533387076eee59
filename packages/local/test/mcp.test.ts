import { request } from "node:http";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { runProjects } from "../src/projects.js";
import { sendSampleRuns } from "../src/sample/send.js";
import { defaultKey, startTestServer, type TestServer } from "./harness.js";

async function connect(url: string, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  onTestFinished(() => client.close());
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit: { headers } }),
  );
  return client;
}

async function call(client: Client, name: string, args: Record<string, unknown> = {}) {
  const { content } = await client.callTool({ name, arguments: args });
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

describe("/mcp on loopback", () => {
  let server: TestServer;
  let traceIds: readonly string[];
  beforeAll(async () => {
    server = await startTestServer();
    traceIds = await sendSampleRuns({ url: server.url });
  });
  afterAll(() => server.close());

  test("reads the default project without a key", async () => {
    const client = await connect(server.url);

    const { traces, total } = JSON.parse(await call(client, "list_traces"));
    expect(total).toBe(3);
    expect(traces.map(({ trace_id }: { trace_id: string }) => trace_id).toSorted()).toEqual(
      traceIds.toSorted(),
    );
    const detail = await call(client, "trace_detail", { trace_id: traceIds[0] });
    expect(detail).toContain(traceIds[0]);
    expect(server.errors).toEqual([]);
  });

  test("reads another project with that one's key", async () => {
    const created = await runProjects(
      { kind: "create", name: "empty" },
      { dataDir: server.dataDir },
    );
    const [key = ""] = /[0-9a-f-]{36}$/m.exec(created) ?? [];
    const client = await connect(server.url, { "X-Agentops-Api-Key": key });

    expect(JSON.parse(await call(client, "list_traces"))).toMatchObject({ total: 0 });
  });

  test("refuses a key that no project has", async () => {
    const key = "11111111-2222-4333-8444-555555555555";
    const client = await connect(server.url, { "X-Agentops-Api-Key": key });

    expect(await call(client, "list_traces")).toMatch(/^invalid_api_key: /);
  });

  test("takes Authorization for no key, and reads no other project instead", async () => {
    const client = await connect(server.url, { Authorization: `Bearer ${defaultKey}` });

    expect(await call(client, "list_traces")).toMatch(
      /^missing_api_key: [\s\S]*X-Agentops-Api-Key/,
    );
  });

  test("refuses a page of another site", async () => {
    const { status } = await server.get("/mcp", { origin: "https://example.com" });

    expect(status).toBe(403);
  });

  test("still needs no key after the default project's was rotated", async () => {
    const client = await connect(server.url);
    await call(client, "list_traces");
    await runProjects({ kind: "rotate-key", project: "default" }, { dataDir: server.dataDir });

    expect(JSON.parse(await call(client, "list_traces"))).toMatchObject({ total: 3 });
  });
});

test("where other machines reach it, /mcp needs a key", async () => {
  const server = await startTestServer(undefined, { host: "0.0.0.0" });
  onTestFinished(() => server.close());

  const stranger = await connect(server.url);
  expect(await call(stranger, "list_traces")).toMatch(/^missing_api_key: /);

  const owner = await connect(server.url, { "X-Agentops-Api-Key": defaultKey });
  expect(JSON.parse(await call(owner, "list_traces"))).toMatchObject({ total: 0 });
});

test("where other machines reach it, they may use any name for it, and a page of another site may not", async () => {
  const server = await startTestServer(undefined, { host: "0.0.0.0" });
  onTestFinished(() => server.close());
  const statusFor = (headers: Record<string, string>) =>
    new Promise((resolve, reject) => {
      const asked = request(`${server.url}/mcp`, {
        headers: { host: "agents.example", ...headers },
      });
      asked.once("response", ({ statusCode }) => resolve(statusCode)).once("error", reject);
      asked.end();
    });

  expect(await statusFor({})).not.toBe(403);
  expect(await statusFor({ origin: "http://agents.example" })).not.toBe(403);
  expect(await statusFor({ origin: "https://elsewhere.example" })).toBe(403);
});

test("a call under way does not keep the server from stopping", async () => {
  const server = await startTestServer();
  const client = await connect(server.url);
  // The client hears nothing of it, so it would wait for its own timeout.
  call(client, "wait_for_trace").catch(() => {});
  await call(client, "list_traces");
  await server.close();

  await expect(server.get("/health")).rejects.toThrow();
}, 10_000);
