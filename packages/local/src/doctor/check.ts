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
