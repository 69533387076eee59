import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openFaultServer } from "../api/fault-server.js";
import { apiKey, scriptPublicGeneration, summaryOf, traceNotFound } from "../api/scripts.js";
import { connectOverStdio } from "../mcp-client.js";
import { epochUnixMs, span, trace } from "../trace/draw.js";
import { scriptedApi } from "./scripted-api.js";
import { wireRow } from "./wire.js";

const idOf = (index: number) => index.toString(16).padStart(32, "0");

/** Newest first; every hundredth failed. */
const manyTraces = Array.from({ length: 1_050 }, (_, index) => {
  const startUnixMs = epochUnixMs - index * 1_000;
  const root = span("root", { startUnixMs, status: index % 100 === 99 ? "error" : "ok" });
  return trace([root], { traceId: idOf(index) });
});

test.each([
  [{ view: "table" }, "Traces 1–5 of 1,050, newest first."],
  [
    { errors_only: true, limit: 2 },
    "Matching traces 1–2 of at least 3, newest first. Looked at 300 of 1,050 traces, newest first, and not at older ones.",
  ],
  [
    { tags: ["none"] },
    /^No matching traces\. Looked at 1,000 of 1,050 traces, newest first, and not at older ones\. The project has 1,050 traces, the newest started [^.]*\. Next: the same call without tags\. A run /,
  ],
  [
    { since: "2020-01-01", tags: ["none"] },
    /^No matching traces\. Looked at 1,000 traces, newest first, and not at older ones\. .* Next: the same call with an earlier since, or without tags\./,
  ],
  [
    { sort: "most_errors", limit: 2 },
    "Traces 1–2 of at least 1,000, most errors first. Looked at 1,000 of 1,050 traces, newest first, and not at older ones.",
  ],
])("a long list that is not read to its end says how far, for %o", async (args, head) => {
  const { ask } = await scriptedApi(manyTraces);

  expect((await ask("list_traces", args)).text.split("\n")[0]).toEqual(matching(head));
});

/** The whole text, or what fits a pattern. */
function matching(head: string | RegExp) {
  return typeof head === "string" ? head : expect.stringMatching(head);
}

test("a server that ignores the offset is paged through its rows once", async () => {
  const { api, ask } = await scriptedApi([]);
  const rows = manyTraces.slice(0, 100).map(wireRow);
  api.on("GET /v4/traces", { body: { traces: rows, total: manyTraces.length } });
  const args = { view: "table", limit: 20 };
  const { text: first } = await ask("list_traces", { ...args, cursor: "60" });
  const { text: last } = await ask("list_traces", { ...args, cursor: "80" });

  expect(first).toMatch(/^Traces 61–80 of 1,050, newest first\.\n/);
  expect(first).toContain('Further: the same call with {"cursor":"80"}');
  expect(last).toMatch(/^Traces 81–100 of 1,050, newest first\.\n/);
  expect(last).not.toContain("Further");
  expect(last).toContain(idOf(99));
});

test("a page that is too long for an answer ends where the next one begins", async () => {
  const { ask } = await scriptedApi(manyTraces);
  const { text } = await ask("list_traces", { view: "table", limit: 100 });
  const shown = text.match(/^0{24}/gm)?.length;

  expect(shown).toBeLessThan(100);
  expect(text).toContain(`Traces 1–${shown} of 1,050, newest first.`);
  expect(text).toContain(`Further: the same call with {"cursor":"${shown}"}`);
});

test("a list of the runs that this machine knows says so, and repeats none", async () => {
  const server = await openFaultServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  scriptPublicGeneration(server, 3);
  server.on("GET /public/v1/traces/*", ({ path }) => {
    const id = path.split("/").at(-1) ?? "";
    return id === idOf(2) ? traceNotFound : { body: { ...summaryOf(3), trace_id: id } };
  });
  const { call } = await connectOverStdio({
    AGENTOPS_API_KEY: apiKey,
    AGENTOPS_API_URL: server.url,
    AGENTOPS_LOG_FILE: await logOf([0, 1, 2, 3, 4].map(idOf)),
  });
  const args = { view: "table", limit: 3 };
  const { text: first } = await call("list_traces", args);
  const { text: last } = await call("list_traces", { ...args, cursor: "3" });

  expect(first).toMatch(/^Traces 1–3 of 4 in agentops\.log, newest first\.\n/);
  expect(first).toContain(idOf(4));
  expect(last).toMatch(/^Trace 4 of 4 in agentops\.log, newest first\.\n/);
  expect(last).toContain(idOf(0));
  expect(last).not.toContain("Further");
});

async function logOf(traceIds: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "agentops-log-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, "agentops.log");
  const links = traceIds.map((id) => `https://app.agentops.ai/sessions?trace_id=${id}\n`);
  await writeFile(path, links.join(""));
  return path;
}
