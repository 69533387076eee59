import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  MAX_LOG_TAIL_BYTES,
  parseTraceIds,
  readKnownTraceIds,
} from "../../src/api/agentops-log.js";

const first = "148dac266d95c9dc0b5616320b8488c9";
const second = "4b1f0c6d9e5a4f7c8a2e3d1c0b9a8f7e";

function line(traceId: string): string {
  return `2025-08-20 09:15:02,104 - INFO - \u001b[34mSession Replay: https://app.agentops.ai/sessions?trace_id=${traceId}\u001b[0m\n`;
}

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentops-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("the runs in a log are named newest first, each once", () => {
  expect(parseTraceIds(line(first) + line(second) + line(first))).toEqual([first, second]);
});

test.each([
  "",
  "trace_id=short",
  `trace_id=${first}f`,
  `trace_id=${first.toUpperCase()}`,
  `id=${first}`,
])("%j names no run", (log) => {
  expect(parseTraceIds(log)).toEqual([]);
});

test("a log is read from the disk", async () => {
  const path = join(folder, "agentops.log");
  await writeFile(path, line(first) + line(second));
  expect(await readKnownTraceIds(path)).toEqual([second, first]);
});

test("only the end of a long log is read", async () => {
  const path = join(folder, "agentops.log");
  const noise = "x".repeat(MAX_LOG_TAIL_BYTES - line(second).length);
  await writeFile(path, line(first) + noise + line(second));
  expect(await readKnownTraceIds(path)).toEqual([second]);
});

test("where there is no log, no runs are known", async () => {
  expect(await readKnownTraceIds(join(folder, "missing.log"))).toEqual([]);
  expect(await readKnownTraceIds(folder)).toEqual([]);
});
