import { defineConfig } from "vitest/config";

/** `agentops-source` makes one package see the other's TypeScript, so tests need no build order. */
const conditions = ["agentops-source"];

/** Where the gate collects its counts from. */
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    projects: ["mcp", "local"].map((name) => ({
      resolve: { conditions },
      ssr: { resolve: { conditions: [...conditions, "node"] } },
      test: {
        name,
        root: `packages/${name}`,
        globalSetup: name === "mcp" ? ["test/global-setup.ts"] : [],
        include: ["test/**/*.test.ts"],
        exclude: ["test/package.test.ts", "test/outside/**"],
        testTimeout: 30_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
