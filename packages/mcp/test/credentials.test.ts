import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Answer, type FaultServer, openFaultServer } from "./api/fault-server.js";
import { jwt, scriptBearerGeneration } from "./api/scripts.js";
import { connectOverHttp, startHttp } from "./http/http-process.js";
import { connectOverStdio } from "./mcp-client.js";

/** Every secret that the server is given or obtains. Each is unlike anything else in its output. */
const secrets = {
  operatorKey: "0be7a700-2222-4333-8444-555555555555",
  callKey: "ca11e700-2222-4333-8444-555555555555",
  headerKey: "4ead0e70-2222-4333-8444-555555555555",
  token: jwt({ planted: "token" }),
  sessionCookie: "planted-session-cookie",
  serverToken: "planted-server-token-7c1f",
  urlPassword: "planted-url-password",
};

/** What a badly behaved API or proxy may do: repeat whatever it was sent. */
const echo = (status: number) => (request: { body: string; headers: object }) => ({
  status,
  body: { detail: `${JSON.stringify(request.headers)} ${request.body} ${secrets.token}` },
});
const faults: Readonly<Record<string, Answer | ReturnType<typeof echo>>> = {
  "a good answer": { body: { traces: [], total: 0 } },
  ...Object.fromEntries(
    [400, 401, 403, 404, 422, 500].map((status) => [`${status}`, echo(status)]),
  ),
  "not JSON": { body: `<html>${secrets.token}</html>` },
  "a reset": { reset: "at once" },
  "a redirect": {
    status: 302,
    headers: { location: `http://u:${secrets.urlPassword}@127.0.0.1:1/` },
  },
};

let api: FaultServer;
let folder: string;

beforeEach(async () => {
  api = await openFaultServer();
  scriptBearerGeneration(api);
  api.on("POST /v3/auth/token", { body: { token: secrets.token, project_id: "p" } });
  folder = await mkdtemp(join(tmpdir(), "mcp-secrets-"));
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Everything below a folder, which is the server's working folder, home and place for temporary files. */
async function filesIn(path: string): Promise<string> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (
    await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8")))
  ).join("\n");
}

function expectNoSecretIn(written: string): void {
  for (const secret of Object.values(secrets)) {
    for (const form of [
      secret,
      Buffer.from(secret).toString("base64"),
      encodeURIComponent(secret),
    ]) {
      expect(written).not.toContain(form);
    }
  }
}

function environment() {
  return {
    AGENTOPS_API_URL: api.url,
    AGENTOPS_API_KEY: secrets.operatorKey,
    AGENTOPS_SESSION_COOKIE: secrets.sessionCookie,
    HOME: folder,
    TMPDIR: folder,
  };
}

const arguments_ = [
  {},
  { AGENTOPS_API_KEY: secrets.callKey },
  { AGENTOPS_API_KEY: secrets.callKey, limit: "many" },
  { AGENTOPS_API_KEY: secrets.callKey, [secrets.callKey]: 1 },
  { AGENTOPS_API_KEY: secrets.callKey, AGENTOPS_API_URL: `http://u:${secrets.urlPassword}@h` },
  { AGENTOPS_API_URL: "https://elsewhere.example" },
];

test("over stdio, nothing that the server ever writes holds a key or a token", async () => {
  const { call, stderr } = await connectOverStdio(environment(), "legacy", folder);
  const answers: string[] = [];
  for (const answer of Object.values(faults)) {
    api.on("GET /v4/traces", answer);
    for (const args of arguments_) answers.push((await call("list_traces", args)).text);
  }

  expect(answers.filter((text) => text.includes(": ")).length).toBeGreaterThan(40);
  expectNoSecretIn(answers.join("\n"));
  expectNoSecretIn(stderr());
  expectNoSecretIn(await filesIn(folder));
});

test("nor over HTTP, in answers, headers, log or files", async () => {
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, secrets.serverToken);
  const { url, output } = await startHttp(environment(), ["--auth-token-file", tokenFile]);
  const authorization = `Bearer ${secrets.serverToken}`;
  const written: string[] = [];

  for (const headers of [{}, { "X-Agentops-Api-Key": secrets.headerKey }]) {
    const { call } = await connectOverHttp(url, { authorization, ...headers });
    for (const answer of Object.values(faults)) {
      api.on("GET /v4/traces", answer);
      for (const args of arguments_) written.push((await call("list_traces", args)).text);
    }
  }
  for (const body of [secrets.callKey, JSON.stringify({ jsonrpc: secrets.callKey })]) {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body,
    });
    written.push(await response.text(), JSON.stringify([...response.headers]));
  }

  expect(written.length).toBeGreaterThan(100);
  expectNoSecretIn(written.join("\n"));
  expectNoSecretIn(output());
  await rm(tokenFile);
  expectNoSecretIn(await filesIn(folder));
});
