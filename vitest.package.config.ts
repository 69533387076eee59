import { defineConfig } from "vitest/config";

const report = process.env.TEST_REPORT;

/** Packs each package and runs it from an empty folder, and tries it with other people's programs. */
export default defineConfig({
  test: {
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    include: ["packages/*/test/package.test.ts", "packages/*/test/outside/*.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
