import { defineConfig } from "vitest/config";

/** `source` makes one package see the other's TypeScript, so tests need no build order. */
const resolve = { conditions: ["source"] };
const ssr = { resolve: { conditions: ["source", "node"] } };

export default defineConfig({
  test: {
    projects: ["mcp", "local"].map((name) => ({
      resolve,
      ssr,
      test: {
        name,
        root: `packages/${name}`,
        include: ["test/**/*.test.ts"],
        testTimeout: 30_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
