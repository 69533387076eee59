import { StartError, systemCode } from "../start-error.js";

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
  /** What to do about it; undefined where all is well. */
  readonly advice?: string;
}

/** For a terminal: a line each, with what to do below. */
export function formatChecks(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  return checks
    .map(({ name, state, detail, advice }) => {
      const line = `${state.padEnd(4)}  ${name.padEnd(width)}  ${detail}\n`;
      return advice ? `${line}      → ${advice}\n` : line;
    })
    .join("");
}

/** What a look finds. That it cannot be taken is a finding too, and keeps nothing else from being looked at. */
export async function look(
  name: string,
  find: () => Promise<readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return await find();
  } catch (error) {
    return [{ name, state: "fail", detail: "does not work", advice: adviceOn(error) }];
  }
}

/** Other messages than our own may quote what is in traces. */
function adviceOn(error: unknown): string {
  if (error instanceof StartError) return error.message;
  const name = error instanceof Error ? error.name : "Error";
  return `${name} (${systemCode(error)}). See what the server prints.`;
}
