import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const json = (path: string) => JSON.parse(read(path));

const { name, version, mcpName } = json("packages/mcp/package.json");
const server = json("packages/mcp/server.json");

test("every file that is released names the same version", () => {
  const versions = {
    workspace: json("package.json").version,
    local: json("packages/local/package.json").version,
    registry: server.version,
    "registry's packages": server.packages.map((each: { version: string }) => each.version),
    mcpb: json("packages/mcp/mcpb/manifest.json").version,
    plugin: json("plugin/.claude-plugin/plugin.json").version,
  };
  expect(versions).toEqual({
    workspace: version,
    local: version,
    registry: version,
    "registry's packages": [version, version],
    mcpb: version,
    plugin: version,
  });
});

describe("server.json", () => {
  test("names the package, and the package names it back", () => {
    expect(server.name).toBe(mcpName);
    for (const { identifier } of server.packages) expect(identifier).toBe(name);
  });

  test("offers both transports and keeps every credential secret", () => {
    const [stdio, http] = server.packages;
    const secrets = [...stdio.environmentVariables, ...http.transport.headers].filter(
      ({ name }: { name: string }) => /key|authorization/i.test(name),
    );

    expect([stdio.transport.type, http.transport.type]).toEqual(["stdio", "streamable-http"]);
    expect(secrets).toHaveLength(3);
    for (const secret of secrets) expect(secret).toMatchObject({ isSecret: true });
  });
});

test("the plugin and the bundle pass the key on as an environment variable", () => {
  const { agentops } = json("plugin/.mcp.json").mcpServers;
  const { mcp_config } = json("packages/mcp/mcpb/manifest.json").server;
  for (const { args, env } of [agentops, mcp_config]) {
    expect(env).toHaveProperty("AGENTOPS_API_KEY");
    expect(args.join(" ")).not.toMatch(/key/i);
  }
});

test("the plugin's skill names only tools that there are", async () => {
  const { tools } = await import("../src/tools/index.js");
  const known = tools.map((tool) => tool.name);
  const named = read("plugin/skills/debug-agent-run/SKILL.md").match(/`[a-z]+_[a-z_]+`/g) ?? [];
  const parameters = tools.flatMap((tool) => Object.keys(tool.input.shape));

  expect(named.length).toBeGreaterThan(5);
  for (const word of named) expect([...known, ...parameters]).toContain(word.slice(1, -1));
});

describe.each(["packages/mcp/Dockerfile", "packages/local/Dockerfile"])("%s", (path) => {
  const lines = read(path).split("\n");
  const instruction = (word: string) => lines.filter((line) => line.startsWith(`${word} `));

  test("starts from an exact version, ends without root and says when it is well", () => {
    for (const from of instruction("FROM")) expect(from).toMatch(/^FROM node:\d+\.\d+\.\d+-\S+/);
    expect(instruction("USER")).toEqual(["USER 1000:1000"]);
    expect(instruction("HEALTHCHECK")).toHaveLength(1);
  });

  test("holds no secret: none is an argument or a variable", () => {
    expect([...instruction("ARG"), ...instruction("ENV")]).toEqual([]);
  });
});
