import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { parse as parseToml } from "smol-toml";
import { expect, test } from "vitest";
import * as z from "zod";
import { PRODUCTION_API_URL } from "../src/api/url-policy.js";
import { tools } from "../src/tools/index.js";
import { connectOverHttp, startHttp } from "./http/http-process.js";
import { connectionOf } from "./mcp-client.js";

const root = new URL("../../../", import.meta.url);
const RUN_SERVER = fileURLToPath(new URL("bin/run-server", root));

const texts = z.record(z.string(), z.string());
const stdioSchema = z.strictObject({
  type: z.literal("stdio").optional(),
  command: z.literal("/ABSOLUTE/PATH/TO/bin/run-server"),
  env: texts,
});
const httpSchema = z.strictObject({
  type: z.enum(["http", "streamableHttp"]).optional(),
  url: z.url().optional(),
  serverUrl: z.url().optional(),
  headers: texts.optional(),
  env_http_headers: texts.optional(),
});
const serversSchema = z.strictObject({ agentops: z.union([stdioSchema, httpSchema]) });

/** Clients differ in what they call the table of their servers. */
const blockSchema = z.strictObject({
  mcpServers: serversSchema.optional(),
  servers: serversSchema.optional(),
  context_servers: serversSchema.optional(),
  mcp_servers: serversSchema.optional(),
  inputs: z.array(z.object({ password: z.literal(true) })).optional(),
});

const page = await readFile(new URL("docs/clients.md", root), "utf8");
const blocks = [...page.matchAll(/^```(json|toml)\n([\s\S]*?)^```$/gm)].map(
  ([, language, text = ""]) => {
    const block = blockSchema.parse(language === "toml" ? parseToml(text) : JSON.parse(text));
    const table =
      block.mcpServers ?? block.servers ?? block.context_servers ?? block.mcp_servers ?? {};
    return serversSchema.parse(table).agentops;
  },
);
const stdioBlocks = blocks.filter((block) => "command" in block);
const httpBlocks = blocks.flatMap((block) => ("command" in block ? [] : [block]));

test("docs/clients.md says how to connect over stdio and over HTTP, and every block of it is one", () => {
  expect(stdioBlocks.length).toBeGreaterThanOrEqual(7);
  expect(httpBlocks.length).toBeGreaterThanOrEqual(7);
  expect(page.match(/^```/gm)).toHaveLength(blocks.length * 2);
});

test.each(stdioBlocks)("a client with stdio block %$ gets the tools", async ({ env }) => {
  const { client } = connectionOf(new Client({ name: "test", version: "1.0.0" }));
  await client.connect(new StdioClientTransport({ command: RUN_SERVER, env }));

  await expectTools(client, env.AGENTOPS_API_URL);
});

test.each(httpBlocks)("a client with HTTP block %$ gets the tools", async (block) => {
  const { url: documentedUrl = block.serverUrl, headers = block.env_http_headers } = block;
  expect(documentedUrl).toBe("http://127.0.0.1:3000/mcp");

  const { url } = await startHttp();
  const { client } = await connectOverHttp(url, headers);

  await expectTools(client, headers?.["X-Agentops-Api-Url"]);
});

/** All tools are there, none asks for a key, and they read from the AgentOps that the block names. */
async function expectTools(client: Client, apiUrl = PRODUCTION_API_URL): Promise<void> {
  const { tools: listed } = await client.listTools();

  expect(listed.map(({ name }) => name)).toEqual(tools.map(({ name }) => name));
  for (const { inputSchema } of listed) {
    expect(inputSchema.required ?? []).not.toContain("AGENTOPS_API_KEY");
  }
  expect(listed[0]?.inputSchema.properties?.AGENTOPS_API_URL).toMatchObject({ default: apiUrl });
}
