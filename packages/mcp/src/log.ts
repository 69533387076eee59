/** Writes one structured line. Fields never hold a key, a token or text from a trace. */
export type Log = (level: "info" | "warn" | "error", fields: Record<string, unknown>) => void;

/** One JSON object a line, with the time first. */
export function createLog(write: (line: string) => void, now: () => Date): Log {
  return (level, fields) =>
    write(`${JSON.stringify({ time: now().toISOString(), level, ...fields })}\n`);
}

/** Where it failed, without the message: messages of parsers and HTTP clients quote what they read. */
export function fault(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: typeof error };
  const stack = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  return { error: error.name, stack: stack?.map((line) => line.trim()) };
}
