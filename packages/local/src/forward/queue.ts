import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { RESERVED_BYTES, requireRoom } from "../store/index.js";

/** What is still to be sent on. */
export interface Entry {
  /** Which of the two hosts it goes to. */
  readonly target: "api" | "exporter";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whose it is. A secret: it is on disk for as long as the entry, for this user's eyes only. */
  readonly apiKey: string;
  readonly body: Uint8Array;
}

/** First in, first out, on disk: what is in it is still in it after a restart. */
export interface Queue {
  /** False if there is no room: the entry is not kept. */
  add(entry: Entry): Promise<boolean>;
  /** Takes the oldest entry that nobody has taken; it stays on disk until it is removed. */
  take(): Promise<Taken | undefined>;
  size(): { readonly waiting: number; readonly taken: number; readonly bytes: number };
}

export interface Taken {
  readonly entry: Entry;
  /** It was sent, or never can be. */
  remove(): Promise<void>;
  /** It is to be tried again, before all others. */
  putBack(): void;
}

/** How much may wait: about 500,000 spans, compressed. */
export const MAX_QUEUE_BYTES = 512 * 1024 * 1024;

interface File {
  readonly name: string;
  readonly bytes: number;
}

/** Opens the queue in `folder`, which it creates. One process at a time. */
export async function openQueue(folder: string, maxBytes = MAX_QUEUE_BYTES): Promise<Queue> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const waiting = await readFiles(folder);
  const taken = new Set<File>();
  let bytes = waiting.reduce((sum, file) => sum + file.bytes, 0);
  let sequence = Number(waiting.at(-1)?.name.slice(0, SEQUENCE_DIGITS) ?? -1) + 1;

  return {
    async add(entry) {
      const content = encode(entry);
      await requireRoom(folder, RESERVED_BYTES);
      if (bytes + content.length > maxBytes) return false;
      const name = `${String(sequence++).padStart(SEQUENCE_DIGITS, "0")}${COMPLETE}`;
      bytes += content.length;
      try {
        await writeEntry(join(folder, name), content);
      } catch (error) {
        bytes -= content.length;
        throw error;
      }
      waiting.push({ name, bytes: content.length });
      return true;
    },

    async take() {
      const file = waiting.shift();
      if (!file) return undefined;
      taken.add(file);
      const path = join(folder, file.name);
      return {
        entry: decode(await readFile(path)),
        async remove() {
          await rm(path);
          taken.delete(file);
          bytes -= file.bytes;
        },
        putBack() {
          taken.delete(file);
          waiting.unshift(file);
        },
      };
    },

    size: () => ({ waiting: waiting.length, taken: taken.size, bytes }),
  };
}

/** A file gets this ending when all of the entry is in it. */
const COMPLETE = ".entry";
/** So many that names sort by age. */
const SEQUENCE_DIGITS = 12;

async function readFiles(folder: string): Promise<File[]> {
  const files: File[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    if (name.endsWith(COMPLETE)) files.push({ name, bytes: (await stat(path)).size });
    else await rm(path);
  }
  return files;
}

async function writeEntry(path: string, content: Uint8Array): Promise<void> {
  const unfinished = `${path}.part`;
  await writeFile(unfinished, content, { mode: 0o600, flush: true });
  await rename(unfinished, path);
  await syncFolder(dirname(path));
}

/** A name is on disk once its folder is; Windows has no such call, and needs none. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const headSchema = z.object({
  target: z.enum(["api", "exporter"]),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  apiKey: z.string(),
});

/** One line of JSON, then the body as it is. */
function encode({ body, ...head }: Entry): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

function decode(content: Buffer): Entry {
  const end = content.indexOf("\n");
  const head = headSchema.parse(JSON.parse(content.subarray(0, end).toString()));
  return { ...head, body: content.subarray(end + 1) };
}
