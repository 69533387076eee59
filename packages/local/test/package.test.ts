import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installPackage } from "../../../test/install-package.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "local package "));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => void installPackage(packageFolder, folder));

test("it depends on the database and its driver, and on nothing else", () => {
  const { dependencies } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8"));
  expect(Object.keys(dependencies).toSorted()).toEqual(["@clickhouse/client", "chdb"]);
});

test("its command starts with the sample runs, from a folder that holds nothing else", async () => {
  const command = join(folder, "node_modules/.bin/agentops-local");
  const args = ["--port", "0", "--data-dir", join(folder, "data"), "--sample"];
  const child = spawn(command, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  let greeting = "";
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    greeting += String(chunk);
    if (greeting.includes("Ready")) break;
  }
  child.kill("SIGTERM");
  await once(child, "exit");

  expect(greeting).toMatch(/Sample runs:(\n {2}[0-9a-f]{32}){3}/);
});
