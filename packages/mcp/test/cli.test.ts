import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { connectOverStdio, ERAS, MCP_CLI } from "./mcp-client.js";

const run = promisify(execFile);

test("--help shows every environment variable and a configuration to paste", async () => {
  const { stdout } = await run(process.execPath, [MCP_CLI, "--help"]);

  expect(stdout).toContain("AGENTOPS_API_KEY");
  expect(stdout).toContain('"mcpServers"');
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(
    await readFile(new URL("../package.json", import.meta.url), "utf8"),
  );
  const { stdout } = await run(process.execPath, [MCP_CLI, "--version"]);

  expect(stdout).toBe(`${version}\n`);
});

test("an unknown flag ends with status 2 and points to --help", async () => {
  await expect(run(process.execPath, [MCP_CLI, "--colour"])).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/--colour[\s\S]*--help/),
  });
});

test("a port that is in use ends with status 2 and says what to choose", async () => {
  const other = createServer();
  onTestFinished(() => void other.close());
  await once(other.listen(0, "127.0.0.1"), "listening");
  const { port } = other.address() as AddressInfo;
  const args = [MCP_CLI, "--http", "--port", String(port)];
  await expect(run(process.execPath, args)).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      `^Port ${port} of 127.0.0.1 is in use. Choose another with --port`,
    ),
  });
});

test("a wrong setting ends with status 2, names the variable and not its value", async () => {
  const env = { AGENTOPS_MAX_RAW_TOKENS: "plenty" };
  await expect(run(process.execPath, [MCP_CLI], { env })).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("AGENTOPS_MAX_RAW_TOKENS: must be a whole number"),
  });
});

test("the server ends by itself when its client goes away", async () => {
  const child = execFile(process.execPath, [MCP_CLI]);
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.stdin?.end();

  expect(await exited).toBe(0);
});

test.each(ERAS)("says who it is and what it offers, protocol %o", async (era) => {
  const { client } = await connectOverStdio({}, era);
  const { tools } = await client.listTools();

  expect(client.getServerVersion()).toMatchObject({ name: "mcp-server-agentops-api" });
  expect(client.getInstructions()).toMatch(/^Reads traces of AI agents/);
  expect(tools.slice(0, 2).map((tool) => tool.name)).toEqual(["list_traces", "trace_detail"]);
  for (const tool of tools) {
    expect(tool.annotations).toMatchObject({ readOnlyHint: true, destructiveHint: false });
    expect(tool.description?.length).toBeLessThanOrEqual(300);
  }
});

test("the credential is required unless the server has a key", async () => {
  const without = await connectOverStdio();
  const withKey = await connectOverStdio({ AGENTOPS_API_KEY: "k" });
  const [asked] = (await without.client.listTools()).tools;
  const [optional] = (await withKey.client.listTools()).tools;

  expect(asked?.inputSchema.required).toEqual(["AGENTOPS_API_KEY"]);
  expect(Object.keys(asked?.inputSchema.properties ?? {})).toEqual(
    expect.arrayContaining(["limit", "AGENTOPS_API_KEY", "AGENTOPS_API_URL"]),
  );
  expect(optional?.inputSchema.required ?? []).toEqual([]);
  expect(optional?.inputSchema.properties).toHaveProperty("AGENTOPS_API_KEY");
});

test("an empty variable counts as unset", async () => {
  const { client } = await connectOverStdio({
    AGENTOPS_API_KEY: "",
    AGENTOPS_API_URL: "",
    AGENTOPS_MAX_RAW_TOKENS: "",
  });
  const [listTraces] = (await client.listTools()).tools;

  expect(listTraces?.inputSchema.required).toEqual(["AGENTOPS_API_KEY"]);
  expect(listTraces?.inputSchema.properties?.AGENTOPS_API_URL).toMatchObject({
    default: "https://api.agentops.ai",
  });
});

test("a URL that is none is refused at the start, with the variable's name", async () => {
  for (const name of ["AGENTOPS_API_URL", "AGENTOPS_ALLOWED_API_URLS"]) {
    const env = { [name]: "localhost:8000" };
    await expect(run(process.execPath, [MCP_CLI], { env })).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringMatching(new RegExp(`${name}.*http`)),
    });
  }
});

test("the two original tools ask hosts to show their raw answers whole", async () => {
  const { client } = await connectOverStdio();
  const { tools } = await client.listTools();
  const raw = tools.filter(({ _meta }) => _meta?.["anthropic/maxResultSizeChars"] === 500_000);

  expect(raw.map(({ name }) => name)).toEqual(["list_traces", "trace_detail"]);
});

test("started by hand in a terminal, it says what it is and what to do", async () => {
  // util-linux's `script` lends it a terminal.
  const terminal = spawn("script", ["-qec", `'${process.execPath}' '${MCP_CLI}'`, "/dev/null"]);
  onTestFinished(() => void terminal.kill());
  let said = "";
  for await (const chunk of terminal.stdout) {
    said += String(chunk);
    if (said.includes("Ctrl-C")) break;
  }

  expect(said).toMatch(/waiting for an MCP client on stdin[\s\S]*--help/);
});
