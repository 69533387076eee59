import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MCP_CLI } from "../mcp-client.js";
import { connectOverHttp, startHttp } from "./http-process.js";

const run = promisify(execFile);
const SECRET = "correct-horse-battery-staple";

let folder: string;
let tokenFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mcp-auth-"));
  tokenFile = join(folder, "token");
  await writeFile(tokenFile, `${SECRET}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

describe("--auth-token-file guards the server", () => {
  test.each([
    ["no token", {}],
    ["a wrong token", { authorization: "Bearer correct-horse-battery-stapler" }],
    ["another scheme", { authorization: `Basic ${SECRET}` }],
  ])("%s is answered 401 with a challenge", async (_, headers: Record<string, string>) => {
    const { url, output } = await startHttp({}, ["--auth-token-file", tokenFile]);
    const response = await fetch(url, { method: "POST", headers, body: "{}" });

    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toMatch(/^Bearer .*error="invalid_token"/);
    expect(output() + (await response.text())).not.toContain("battery");
  });

  test("the token opens it, and an AgentOps key travels beside it", async () => {
    const { url, output } = await startHttp({}, ["--auth-token-file", tokenFile]);
    const { client } = await connectOverHttp(url, {
      Authorization: `Bearer ${SECRET}`,
      "X-Agentops-Api-Key": "11111111-2222-4333-8444-555555555555",
    });

    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    expect(output()).not.toContain(SECRET);
  });

  test("health stays open, so that an orchestrator needs no secret", async () => {
    const { url } = await startHttp({}, ["--auth-token-file", tokenFile]);
    expect((await fetch(new URL("/health", url))).status).toBe(200);
  });
});

describe("flags that cannot be served end with status 2 and say why", () => {
  test.each([
    ["a port without --http", ["--port", "3000"], {}, /--http/],
    ["a port that is none", ["--http", "--port", "http"], {}, /^--port: must be .* 0 to 65535\.$/m],
    ["a port too high", ["--http", "--port", "99999"], {}, /^--port: must be .* 0 to 65535\.$/m],
    [
      "a key open to the network",
      ["--http", "--host", "0.0.0.0"],
      { AGENTOPS_API_KEY: "k" },
      /--auth-token-file/,
    ],
    [
      "a token file that is not there",
      ["--http", "--auth-token-file", "/none"],
      {},
      /ENOENT.*\/none/,
    ],
    [
      "an address that is not ours",
      ["--http", "--host", "192.0.2.1", "--port", "0"],
      {},
      /192\.0\.2\.1/,
    ],
  ])("%s", async (_, flags, env: Record<string, string>, message) => {
    await expect(run(process.execPath, [MCP_CLI, ...flags], { env })).rejects.toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(message),
    });
  });

  test("a token too short to be a secret, without repeating it", async () => {
    const weak = join(folder, "weak");
    await writeFile(weak, "hunter2");
    await expect(
      run(process.execPath, [MCP_CLI, "--http", "--auth-token-file", weak]),
    ).rejects.toMatchObject({ code: 2, stderr: expect.not.stringContaining("hunter2") });
  });
});
