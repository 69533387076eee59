import { readFile } from "node:fs/promises";
import { expect, onTestFinished, test } from "vitest";
import { expectGenerated, fileOf } from "../../../test/generated.js";
import { MAX_WAITING_BYTES } from "../src/admission.js";
import { createApp } from "../src/app.js";
import {
  MAX_EXPORT_BYTES,
  MAX_EXPORT_MONTHS,
  MAX_EXPORT_SPANS,
  MAX_EXPORT_VALUES,
  MAX_ROW_BYTES,
} from "../src/otlp/export-limits.js";
import { MAX_UPLOAD_BYTES } from "../src/rest/uploads.js";
import { REQUEST_TIMEOUT_MS } from "../src/server.js";
import { openStore } from "../src/store/index.js";
import { createTokens } from "../src/tokens.js";
import { folderForTests } from "./harness.js";

const dataDir = await folderForTests();

test("docs/local.md says what is taken at a time", async () => {
  const page = await readFile(fileOf("docs/local.md"), "utf8");
  const [, section = ""] = page.split("\n## What it takes at a time\n");
  const [limits = ""] = section.split("\n## ");
  const mib = (bytes: number) => `${bytes / 1024 ** 2} MiB`;
  for (const limit of [
    `An export may measure ${mib(MAX_EXPORT_BYTES)}`,
    `an upload ${MAX_UPLOAD_BYTES.toLocaleString("en")} bytes`,
    `${MAX_EXPORT_SPANS.toLocaleString("en")} spans, of ${MAX_EXPORT_MONTHS} months`,
    `${MAX_EXPORT_VALUES.toLocaleString("en")} values`,
    `that may be ${mib(MAX_ROW_BYTES)}`,
    `may be ${mib(MAX_WAITING_BYTES)} in all`,
    `not there whole after ${REQUEST_TIMEOUT_MS / 1000} s`,
  ]) {
    expect(limits).toContain(limit);
  }
});

test("docs/local.md lists the routes", async () => {
  const store = await openStore({ dataDir });
  onTestFinished(() => store.close());
  const { routes } = createApp({
    store,
    tokens: createTokens(new Uint8Array(32)),
    version: "0",
    anonymousProjectId: undefined,
    allowedHosts: undefined,
    isReadOnly: false,
    forwarder: undefined,
    onError: () => {},
    onWarning: () => {},
  });
  const lines = routes
    .filter(({ method }) => method !== "ALL")
    .toSorted((one, other) => (one.path + one.method < other.path + other.method ? -1 : 1))
    .map(({ method, path }) => `${method.padEnd(4)} ${path.replace(/:(\w+)/g, "{$1}")}`);
  const list = [...new Set(lines)].join("\n");
  await expectGenerated("docs/local.md", "routes", `\n\`\`\`text\n${list}\n\`\`\`\n`);
});
