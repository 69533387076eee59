import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { systemCode } from "../start-error.js";
import { RESERVED_BYTES, requireRoom } from "../store/index.js";

/** The two hosts that entries go to; each has a queue of its own, in a folder of that name. */
export const targets = ["api", "exporter"] as const;

/** What is still to be sent on. */
export interface Entry {
  readonly target: (typeof targets)[number];
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
  /** Takes an entry that nobody has taken, the oldest of its kind; it stays on disk until it is removed. */
  take(): Taken | undefined;
  size(): QueueSize;
}

/** All that is on disk, taken or not. */
export interface QueueSize {
  readonly entries: number;
  readonly bytes: number;
}

/** One and the same object each time the entry is taken. */
export interface Taken {
  readonly path: string;
  /** Undefined if the file holds no entry, or is gone. */
  read(): Promise<Entry | undefined>;
  /** It was sent, or never can be. */
  remove(): Promise<void>;
  /** It is to be tried again, behind most of those that were not tried yet. */
  putBack(): void;
}

/** How much may wait: about 500,000 spans, compressed. */
export const MAX_QUEUE_BYTES = 512 * 1024 * 1024;

/** One of so many that are taken is one that was tried before, however many new ones there are. */
const TAKES_PER_TRIED = 8;

interface File {
  readonly name: string;
  readonly bytes: number;
}

/** Opens the queue in `folder`, which it creates. One process at a time. */
export async function openQueue(folder: string, maxBytes = MAX_QUEUE_BYTES): Promise<Queue> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const untried = await readFiles(folder);
  const tried: Taken[] = [];
  const size = sizeOf(untried);
  let takeCount = 0;
  let sequence = Number(untried.at(-1)?.name.slice(0, SEQUENCE_DIGITS) ?? -1) + 1;

  function resize({ bytes }: File, direction: 1 | -1): void {
    size.entries += direction;
    size.bytes += direction * bytes;
  }

  return {
    async add(entry) {
      const content = encode(entry);
      await requireRoom(folder, RESERVED_BYTES);
      if (size.bytes + content.length > maxBytes) return false;
      const file = { name: fileName(sequence++), bytes: content.length };
      resize(file, 1);
      await writeEntry(join(folder, file.name), content).catch((error) => {
        resize(file, -1);
        throw error;
      });
      untried.push(file);
      return true;
    },

    take() {
      takeCount += 1;
      const again = takeCount % TAKES_PER_TRIED === 0 ? tried.shift() : undefined;
      if (again) return again;
      const file = untried.shift();
      if (!file) return tried.shift();
      const onRemove = () => resize(file, -1);
      return toTaken(join(folder, file.name), {
        onRemove,
        onPutBack: (taken) => tried.push(taken),
      });
    },

    size: () => ({ ...size }),
  };
}

function sizeOf(files: readonly File[]) {
  return { entries: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

interface TakenEvents {
  onRemove(): void;
  onPutBack(taken: Taken): void;
}

function toTaken(path: string, { onRemove, onPutBack }: TakenEvents): Taken {
  const taken: Taken = {
    path,
    async read() {
      const content = await readFile(path).catch((error) => {
        if (systemCode(error) === "ENOENT") return Buffer.of();
        throw error;
      });
      return decode(content);
    },
    async remove() {
      await rm(path, { force: true });
      onRemove();
    },
    putBack: () => onPutBack(taken),
  };
  return taken;
}

/** A file gets this ending when all of the entry is in it. */
const COMPLETE = ".entry";
/** So many that names sort by age. */
const SEQUENCE_DIGITS = 12;

function fileName(sequence: number): string {
  return `${String(sequence).padStart(SEQUENCE_DIGITS, "0")}${COMPLETE}`;
}

/** Of a folder that no queue has open; 0 where there is none. */
export async function countEntries(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith(COMPLETE)).length;
}

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
  target: z.enum(targets),
  path: z.string(),
  headers: z.record(z.string(), z.string()),
  apiKey: z.string(),
});

/** One line of JSON, then the body as it is. */
function encode({ body, ...head }: Entry): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]);
}

/** What is wrong is not told: a parser quotes what it read, and an entry holds a key. */
function decode(content: Buffer): Entry | undefined {
  const end = content.indexOf("\n");
  try {
    const head = headSchema.parse(JSON.parse(content.subarray(0, end).toString()));
    return { ...head, body: content.subarray(end + 1) };
  } catch {
    return undefined;
  }
}
