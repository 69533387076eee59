import { onTestFinished, test } from "vitest";
import { expectGenerated } from "../../../test/generated.js";
import { createApp } from "../src/app.js";
import { openStore } from "../src/store/index.js";
import { createTokens } from "../src/tokens.js";
import { folderForTests } from "./harness.js";

const dataDir = await folderForTests();

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
