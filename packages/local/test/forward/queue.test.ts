import { readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Entry, openQueue } from "../../src/forward/queue.js";
import { temporaryFolder } from "../harness.js";

let folder: string;
beforeEach(async () => {
  folder = join(await temporaryFolder(), "forward");
});
afterEach(() => rm(join(folder, ".."), { recursive: true }));

const entry = (text: string): Entry => ({
  target: "exporter",
  path: "/v1/traces",
  headers: { "content-type": "application/json" },
  apiKey: "11111111-2222-3333-4444-555555555555",
  body: Buffer.from(text),
});

const text = (body: Uint8Array | undefined) => Buffer.from(body ?? []).toString();

test("what is in it comes out in order, also after a restart", async () => {
  const first = await openQueue(folder);
  for (const body of ["one", "two\nlines", "three"]) await first.add(entry(body));
  await first.take()?.remove();
  // Taken, and not removed: the process ends before the delivery does.
  expect(await first.take()?.read()).toEqual(entry("two\nlines"));

  const second = await openQueue(folder);
  await second.add(entry("four"));
  const bodies: string[] = [];
  for (let taken = second.take(); taken; taken = second.take()) {
    bodies.push(text((await taken.read())?.body));
    await taken.remove();
  }
  expect(bodies).toEqual(["two\nlines", "three", "four"]);
  expect(second.size()).toEqual({ entries: 0, bytes: 0 });
  expect(await readdir(folder)).toEqual([]);
});

test("what is put back comes again behind most of what was not tried yet", async () => {
  const queue = await openQueue(folder);
  for (const body of ["one", "two", "three"]) await queue.add(entry(body));
  const first = queue.take();
  first?.putBack();
  expect(text((await queue.take()?.read())?.body)).toBe("two");
  await queue.add(entry("four"));
  expect(text((await queue.take()?.read())?.body)).toBe("three");
  expect(text((await queue.take()?.read())?.body)).toBe("four");
  expect(queue.take()).toBe(first);
  expect(queue.size().entries).toBe(4);
});

test.each(["", "half a line", "{}\nbody", '{"target":"elsewhere"}\n'])(
  "a file that holds %j is no entry",
  async (content) => {
    await openQueue(folder);
    await writeFile(join(folder, "000000000007.entry"), content);
    const queue = await openQueue(folder);
    expect(await queue.take()?.read()).toBeUndefined();
  },
);

test("a file that is gone is no entry", async () => {
  const queue = await openQueue(folder);
  await queue.add(entry("one"));
  await rm(join(folder, "000000000000.entry"));
  const taken = queue.take();
  expect(await taken?.read()).toBeUndefined();
  await taken?.remove();
  expect(queue.size()).toEqual({ entries: 0, bytes: 0 });
});

test("a full queue takes no more, until something has left it", async () => {
  const queue = await openQueue(folder, 500);
  expect(await queue.add(entry("x".repeat(200)))).toBe(true);
  expect(await queue.add(entry("x".repeat(200)))).toBe(false);
  await queue.take()?.remove();
  expect(await queue.add(entry("x".repeat(200)))).toBe(true);
});

test("the keys in it are for this user's eyes only", async () => {
  const queue = await openQueue(folder);
  await queue.add(entry("one"));
  const [name = ""] = await readdir(folder);
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test("an entry that was being written when the process ended is gone: it was never acknowledged", async () => {
  await openQueue(folder);
  await writeFile(join(folder, "000000000000.entry.part"), "half");
  expect((await openQueue(folder)).size().entries).toBe(0);
  expect(await readdir(folder)).toEqual([]);
});
