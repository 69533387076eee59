import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type AdminApi, requireExisting, type ServerLocation } from "./admin-api.js";
import { SPAN_COUNT_HEADER } from "./otlp/exporter.js";
import { counted, createProgress, type Terminal } from "./progress.js";
import { projectNamed } from "./projects.js";
import { StartError, systemCode } from "./start-error.js";
import { defaultProject } from "./store/index.js";

/** What `agentops-local export` is asked for; every part that is given must hold. */
export interface ExportQuery {
  /** Id or name; the default project without it. */
  readonly project?: string | undefined;
  readonly traceIds: readonly string[];
  /** Traces that ran at any time from here on, and that had started by then; whole. */
  readonly fromUnixNano?: bigint | undefined;
  readonly untilUnixNano?: bigint | undefined;
}

interface ExportStreams {
  readonly output: Writable;
  readonly terminal: Terminal;
}

/**
 * Writes traces as OTLP/JSON lines, as they come from the server.
 *
 * @throws {StartError}
 */
export async function runExport(
  query: ExportQuery,
  location: ServerLocation,
  { output, terminal }: ExportStreams,
): Promise<void> {
  const api = await requireExisting(location);
  const progress = createProgress(terminal);
  let spans = 0;

  async function* passedOn() {
    for await (const page of pages(api, query)) {
      yield page.lines;
      spans += page.spanCount;
      progress.show(counted(spans, "span"));
    }
  }

  try {
    await pipeline(passedOn(), output, { end: false });
  } catch (error) {
    throw error instanceof StartError ? error : brokenOff(error, spans);
  } finally {
    progress.clear();
    await api.close();
  }
  terminal.write(`Exported ${counted(spans, "span")}.\n`);
}

interface Page {
  readonly lines: Uint8Array;
  readonly spanCount: number;
}

async function* pages(api: AdminApi, query: ExportQuery): AsyncGenerator<Page> {
  const { id, api_key: apiKey } = await projectNamed(api, query.project ?? defaultProject.id);
  const token = await api.tokenOf({ id, apiKey });
  let path: string | undefined = `/v1/traces?${parameters(query)}`;
  while (path !== undefined) {
    const response = await api.send("GET", path, { token });
    const { ok, status, headers } = response;
    if (!ok) throw new StartError(`The server answered ${status}: ${await response.text()}`);
    const lines = new Uint8Array(await response.arrayBuffer());
    yield { lines, spanCount: Number(headers.get(SPAN_COUNT_HEADER)) };
    path = /<(.+)>; rel="next"/.exec(headers.get("link") ?? "")?.[1];
  }
}

function parameters({ traceIds, fromUnixNano, untilUnixNano }: ExportQuery): URLSearchParams {
  const found = new URLSearchParams();
  for (const id of traceIds) found.append("trace_id", id);
  if (fromUnixNano !== undefined) found.set("start_time_unix_nano", String(fromUnixNano));
  if (untilUnixNano !== undefined) found.set("end_time_unix_nano", String(untilUnixNano));
  return found;
}

function brokenOff(cause: unknown, spans: number): StartError {
  return new StartError(
    `The export broke off after ${counted(spans, "span")}: ${reasonOf(cause)}`,
    {
      cause,
    },
  );
}

function reasonOf(error: unknown): string {
  const code = systemCode(error);
  if (code === "EPIPE") return "whatever reads it has stopped.";
  const isOutput = error instanceof Error && "syscall" in error && error.syscall === "write";
  return isOutput
    ? `the output cannot be written (${code}). Make room for it, or write it elsewhere.`
    : "see that the server runs, or that no other process has the folder, and export again.";
}
