import type { TestProject } from "vitest/node";
import { startLocal } from "../../../test/start-local.js";

declare module "vitest" {
  export interface ProvidedContext {
    /** The agentops-local that all tests share; it holds the three sample runs. */
    local: { url: string; apiKey: string };
  }
}

/** Starts one real agentops-local, with its sample runs in it, for all tests of this package. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, apiKey, stop } = await startLocal(["--sample"]);
  project.provide("local", { url, apiKey });
  return stop;
}
