import { on } from "node:events";
import { constants, createReadStream } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { type AdminApi, openAdminApi, type ServerLocation } from "./admin-api.js";
import { MAX_EXPORT_BYTES } from "./otlp/export-limits.js";
import { counted, createProgress, type Terminal } from "./progress.js";
import { projectNamed } from "./projects.js";
import { type Line, readLines, spanCount } from "./read-lines.js";
import { StartError, systemCode } from "./start-error.js";
import { defaultProject } from "./store/index.js";

/** What `agentops-local import` is asked to do. */
export interface ImportOptions {
  /** `-` for the standard input; gzip is unpacked. */
  readonly file: string;
  /** Id or name; the default project without it. */
  readonly project?: string | undefined;
}

interface ImportStreams {
  readonly input: Readable;
  readonly terminal: Terminal;
}

/** Lines that are stored side by side, so that they share a write to the disk. */
const BATCH_LINES = 32;
const BATCH_BYTES = 4 * 1024 * 1024;
/** A file of another kind has nothing but bad lines. */
const MAX_REPORTED_LINES = 20;
/** A full disk stays full; a server that has much to do needs a second or two. */
const MAX_ATTEMPTS = 10;
const RETRY_DELAY_MS = 1_000;

/**
 * Stores every line that is an OTLP/JSON export, and says which are none. A span that is there already
 * is not stored again, so an import may be repeated.
 *
 * @returns whether nothing was refused.
 * @throws {StartError} when it could not go on to the end.
 */
export async function runImport(
  { file, project = defaultProject.id }: ImportOptions,
  location: ServerLocation,
  { input, terminal }: ImportStreams,
): Promise<boolean> {
  if (file !== "-") await requireFile(file);
  const api = await openAdminApi(location);
  const report = createReport(terminal);
  try {
    const { id, name, api_key: apiKey } = await projectNamed(api, project);
    const token = await api.tokenOf({ id, apiKey });
    const source = await unpacked(file === "-" ? input : createReadStream(file));
    const lines = readLines(source, MAX_EXPORT_BYTES);
    for await (const batch of batches(lines)) {
      const outcomes = await Promise.all(batch.map((line) => store(api, token, line)));
      for (const outcome of outcomes) report.add(outcome);
    }
    return report.finish(name);
  } catch (error) {
    throw error instanceof StartError ? error : brokenOff(error, file);
  } finally {
    await api.close();
  }
}

/** Before a database is opened, and perhaps made, for nothing. */
async function requireFile(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    const code = systemCode(cause);
    const problem = code === "ENOENT" ? "There is no such file" : `It cannot be read (${code})`;
    throw new StartError(`${problem}: ${path}`, { cause });
  }
  if ((await stat(path)).isDirectory()) {
    throw new StartError(`That is a folder, and import takes one file: ${path}`);
  }
}

/** What gzip begins with. */
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** Told by how it begins, not by its name: the standard input has none. */
async function unpacked(source: Readable): Promise<Readable> {
  const start = await peek(source, GZIP_MAGIC.length);
  if (!start?.equals(GZIP_MAGIC)) return source;
  const gunzip = createGunzip();
  source.on("error", (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}

/** Waits for so many bytes, which a pipe may hand over one by one, or for the end. */
async function peek(source: Readable, byteCount: number): Promise<Buffer | undefined> {
  for await (const _ of on(source, "readable", { close: ["end"] })) {
    const start: Buffer | null = source.read(byteCount);
    if (!start) continue;
    source.unshift(start);
    return start;
  }
  return undefined;
}

async function* batches(lines: AsyncIterable<Line>): AsyncGenerator<Line[]> {
  let batch: Line[] = [];
  let bytes = 0;
  for await (const line of lines) {
    batch.push(line);
    bytes += line.bytes?.length ?? 0;
    if (batch.length < BATCH_LINES && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  yield batch;
}

interface Outcome {
  readonly number: number;
  readonly spans: number;
  /** What was not taken, and what to do about it. */
  readonly refusal?: string;
}

async function store(api: AdminApi, token: string, { number, bytes }: Line): Promise<Outcome> {
  if (!bytes)
    return { number, spans: 0, refusal: `longer than ${MAX_EXPORT_BYTES} bytes. Split it.` };
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === "") return { number, spans: 0 };
  const spans = spanCount(text);
  if (spans === undefined) return { number, spans: 0, refusal: noExport };
  const response = await send(api, { token, body: bytes, number });
  if (response.status === 400) return { number, spans: 0, refusal: noExport };
  if (response.status === 413) {
    const { message } = errorSchema.parse(await response.json());
    // The rest of it is what to do about an SDK.
    const [limit = ""] = message.split(";");
    return { number, spans: 0, refusal: `${limit}. Split it.` };
  }

  const { partialSuccess } = responseSchema.parse(await response.json());
  if (!partialSuccess) return { number, spans };
  const { rejectedSpans, errorMessage } = partialSuccess;
  const refusal = `${counted(rejectedSpans, "span")} left out. ${errorMessage}`;
  return { number, spans: spans - rejectedSpans, refusal };
}

const noExport =
  "not an OTLP/JSON ExportTraceServiceRequest. Put each on one line, as `jq -c .` does; metrics and logs are not kept.";

/** A `google.rpc.Status`. */
const errorSchema = z.object({ message: z.string() });

const responseSchema = z.object({
  partialSuccess: z
    .object({ rejectedSpans: z.coerce.number(), errorMessage: z.string() })
    .optional(),
});

interface Sending {
  readonly token: string;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly number: number;
}

/** Waits while there is no room; an answer that is no judgement of the line ends the import. */
async function send(api: AdminApi, { number, ...options }: Sending): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const response = await api.send("POST", "/v1/traces", options);
    if (response.ok || response.status === 400 || response.status === 413) return response;
    const isBusy = response.status === 429 || response.status === 503;
    if (!isBusy || attempt === MAX_ATTEMPTS) {
      throw new StartError(
        `Line ${number} is not stored: the server answered ${response.status}. See agentops-local doctor, then import the file again.`,
      );
    }
    await delay(RETRY_DELAY_MS);
  }
}

function createReport(terminal: Terminal) {
  const progress = createProgress(terminal);
  let [spans, lines, refusals] = [0, 0, 0];
  return {
    add(outcome: Outcome): void {
      spans += outcome.spans;
      lines = outcome.number;
      if (outcome.refusal !== undefined && ++refusals <= MAX_REPORTED_LINES) {
        progress.clear();
        terminal.write(`Line ${outcome.number}: ${outcome.refusal}\n`);
      }
      progress.show(`${counted(spans, "span")}, ${counted(lines, "line")}`);
    },

    /** True if nothing was refused. */
    finish(project: string): boolean {
      progress.clear();
      const unsaid = refusals - MAX_REPORTED_LINES;
      if (unsaid > 0) terminal.write(`… and ${counted(unsaid, "line")} more.\n`);
      terminal.write(
        `Read ${counted(lines, "line")}: ${counted(spans, "span")}, now in ${project}; ${counted(refusals, "line")} refused in whole or part.\n`,
      );
      return refusals === 0;
    },
  };
}

function brokenOff(cause: unknown, file: string): StartError {
  return new StartError(
    `${file} was not read to its end (${systemCode(cause)}). What was read is stored; mend the file or start the server again, then import all of it again.`,
    { cause },
  );
}
