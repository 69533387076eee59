/** `npm run bundle:mcpb`: the built server as one file that Claude Desktop installs by a double click. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MCPB = "@anthropic-ai/mcpb@2.1.2";
const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const staging = mkdtempSync(join(tmpdir(), "mcpb-"));
const [, , output = join(packageFolder, "mcp-server-agentops-api.mcpb")] = process.argv;

try {
  cpSync(join(packageFolder, "mcpb/manifest.json"), join(staging, "manifest.json"));
  cpSync(join(packageFolder, "dist"), join(staging, "server"), { recursive: true });
  // Validates the manifest first.
  execFileSync("npx", ["--yes", MCPB, "pack", staging, output], { stdio: "inherit" });
} finally {
  rmSync(staging, { recursive: true });
}
