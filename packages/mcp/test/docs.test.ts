import { describe, expect, test } from "vitest";
import * as z from "zod";
import { expectGenerated, fileOf } from "../../../test/generated.js";
import { PRODUCTION_API_URL } from "../src/api/url-policy.js";
import { settings } from "../src/config.js";
import type { Tool } from "../src/tools/define-tool.js";
import { tools } from "../src/tools/index.js";

const GENERATED = "<!-- Made from the code by `npm run test:update`: edit the code, not this. -->";

const CREDENTIAL = `Every tool also takes \`AGENTOPS_API_KEY\`, the key of the project to read, and \`AGENTOPS_API_URL\` (default
\`${PRODUCTION_API_URL}\`). The key is required unless the server was started with one. Then both are
optional, and only \`list_traces\` and \`trace_detail\` list them.`;

describe("the pages made from code are up to date (npm run test:update rewrites them)", () => {
  test("docs/tools.md lists every tool with its parameters", async () => {
    const page = ["# Tools", GENERATED, CREDENTIAL, ...tools.map(toolSection)].join("\n\n");
    await expect(`${page}\n`).toMatchFileSnapshot(fileOf("docs/tools.md"));
  });

  test("docs/configuration.md lists every environment variable", async () => {
    const rows = Object.entries(settings).map(
      ([name, description]) => `| \`${name}\` | ${description} |`,
    );
    const page = [
      "# Configuration",
      GENERATED,
      "Everything is read from the environment when the server starts. An empty variable counts as unset.",
      ["| Variable | What it does |", "|---|---|", ...rows].join("\n"),
    ].join("\n\n");
    await expect(`${page}\n`).toMatchFileSnapshot(fileOf("docs/configuration.md"));
  });

  test("the README's table names every tool", async () => {
    const rows = tools.map(({ name, description }) => `| \`${name}\` | ${description} |`);
    const table = ["| Tool | What it answers |", "|---|---|", ...rows].join("\n");
    await expectGenerated("README.md", "tools", table);
  });
});

function toolSection(tool: Tool): string {
  const { properties = {}, required = [] } = z.toJSONSchema(tool.input, { io: "input" });
  const rows = Object.entries(properties).map(([name, property]) => {
    const kind = required.includes(name) ? "required" : describeDefault(property);
    return `| \`${name}\` | ${describeType(property)} | ${kind} | ${describeText(property)} |`;
  });
  return [
    `## ${tool.name}`,
    tool.description,
    ["| Parameter | Type | | |", "|---|---|---|---|", ...rows].join("\n"),
  ].join("\n\n");
}

type Property = boolean | z.core.JSONSchema.BaseSchema;

function describeType(property: Property): string {
  if (typeof property === "boolean") return "any";
  if (property.enum) return property.enum.map((value) => `\`${value}\``).join(" \\| ");
  return [property.type ?? "any"].flat().join(" or ") + describeBounds(property);
}

function describeBounds({ minimum, maximum }: z.core.JSONSchema.BaseSchema): string {
  if (minimum === undefined || maximum === undefined) return "";
  return `, ${minimum.toLocaleString("en")}–${maximum.toLocaleString("en")}`;
}

function describeDefault(property: Property): string {
  if (typeof property === "boolean" || property.default === undefined) return "optional";
  return `default \`${JSON.stringify(property.default)}\``;
}

function describeText(property: Property): string {
  return (typeof property === "boolean" ? undefined : property.description) ?? "";
}
