import { execFileSync } from "node:child_process";
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serve } from "../binary.js";
import { temporaryFolder } from "../harness.js";
import { brokenTraces, createExporter } from "./exporter.js";

const DISK_SIZE = "160m";
/** So little that some exports still fit. */
const LEFT_BYTES = 1024 * 1024;
const MOST_EXPORTS = 2_000;

let disk: string;
let isMounted = false;
beforeAll(async () => {
  disk = await temporaryFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_SIZE}`, "tmpfs", disk], {
      stdio: "ignore",
    });
    isMounted = true;
  } catch {
    console.error("Skipped: a disk to fill takes the right to mount one.");
  }
});
afterAll(async () => {
  if (isMounted) execFileSync("umount", [disk]);
  await rm(disk, { recursive: true, force: true });
});

test("a full disk is a 503 until there is room again, and nothing acknowledged is lost", async (context) => {
  if (!isMounted) context.skip();
  const server = await serve(join(disk, "data"));
  const exporter = createExporter();
  expect((await exporter.sendTrace(server.url))?.status).toBe(200);

  const filler = join(disk, "filler");
  const { bavail, bsize } = await statfs(disk);
  await writeFile(filler, Buffer.alloc(bavail * bsize - LEFT_BYTES));
  let refusal: Response | undefined;
  for (let count = 0; count < MOST_EXPORTS && refusal === undefined; count++) {
    const response = await exporter.sendTrace(server.url);
    if (response?.status !== 200) refusal = response;
  }
  expect(refusal?.status).toBe(503);
  expect(Number(refusal?.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await refusal?.text()).toContain("disk is full");

  await rm(filler);
  expect((await exporter.sendTrace(server.url))?.status).toBe(200);
  expect(await brokenTraces(server.url, exporter.acknowledged)).toEqual([]);

  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  const restarted = await serve(join(disk, "data"));
  expect(await brokenTraces(restarted.url, exporter.acknowledged)).toEqual([]);
  restarted.child.kill("SIGTERM");
  await restarted.exited;
}, 120_000);
