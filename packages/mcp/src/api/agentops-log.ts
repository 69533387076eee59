import { open } from "node:fs/promises";

/** Enough for thousands of runs, and quick to read even where the log has grown for years. */
export const MAX_LOG_TAIL_BYTES = 1024 * 1024;

/**
 * The trace ids of the runs that an AgentOps SDK logged at this path, newest first. The SDK writes
 * `agentops.log` into the working folder; where there is none, no runs are known.
 */
export async function readKnownTraceIds(logPath: string): Promise<readonly string[]> {
  return parseTraceIds(await readTail(logPath, MAX_LOG_TAIL_BYTES).catch(() => ""));
}

/** Finds the dashboard links, `…/sessions?trace_id=<32 hex digits>`. Newest first, each id once. */
export function parseTraceIds(log: string): readonly string[] {
  const ids = Array.from(
    log.matchAll(/trace_id=([0-9a-f]{32})(?![0-9a-f])/g),
    ([, id]) => id ?? "",
  );
  return [...new Set(ids.reverse())];
}

async function readTail(path: string, maxBytes: number): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), { position: start });
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}
