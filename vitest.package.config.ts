import { defineConfig } from "vitest/config";

const report = process.env.TEST_REPORT;

/** Packs each package and runs it from an empty folder, as a user would get it. */
export default defineConfig({
  test: {
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    include: ["packages/*/test/package.test.ts"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
