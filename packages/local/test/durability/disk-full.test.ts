import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeProtobuf } from "../../src/otlp/protobuf.js";
import { openDatabase } from "../../src/store/database.js";
import { DiskFullError, RESERVED_BYTES } from "../../src/store/disk-space.js";
import { defaultProject } from "../../src/store/index.js";
import { migrate } from "../../src/store/migrate.js";
import { encodeSpans } from "../../src/store/row-binary.js";
import { serve } from "../binary.js";
import { fetchToken, temporaryFolder } from "../harness.js";
import { exportOf, newTraceId, spanAt, text, toProtobuf } from "../otlp-message.js";
import { brokenTraces, createExporter } from "./exporter.js";

const DISK_SIZE = "160m";
/** Past the reserve by then. */
const MOST_EXPORTS = 100;

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
  const upload = () =>
    fetch(`${server.url}/v4/objects/upload/`, {
      method: "POST",
      headers: authorization,
      body: "x",
    });
  const authorization = { authorization: `Bearer ${await fetchToken(server.url)}` };
  expect((await exporter.sendTrace(server.url))?.status).toBe(200);

  // First the room for spans goes, which they take themselves, then that for the engine's own work.
  await leave(RESERVED_BYTES + 1024 * 1024);
  let refusal: Response | undefined;
  for (let count = 0; count < MOST_EXPORTS && refusal === undefined; count++) {
    const response = await exporter.sendTrace(server.url);
    if (response?.status !== 200) refusal = response;
  }
  expect(exporter.acknowledged.size).toBeGreaterThan(1);
  await leave(1024 * 1024);
  for (const response of [refusal, await exporter.sendTrace(server.url), await upload()]) {
    expect(response?.status).toBe(503);
    expect(Number(response?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await response?.text()).toContain("disk is full");
  }
  expect(await brokenTraces(server.url, exporter.acknowledged)).toEqual([]);

  await rm(filler());
  expect((await exporter.sendTrace(server.url))?.status).toBe(200);
  expect((await upload()).status).toBe(200);
  server.child.kill("SIGTERM");
  expect(await server.exited).toBe(0);
  const restarted = await serve(join(disk, "data"));
  expect(await brokenTraces(restarted.url, exporter.acknowledged)).toEqual([]);
  restarted.child.kill("SIGTERM");
  await restarted.exited;
}, 60_000);

test("a batch for which the disk is too small half way leaves nothing, and goes in once there is room", async (context) => {
  if (!isMounted) context.skip();
  const database = await openDatabase({ dataDir: join(disk, "engine") });
  await migrate(database);
  const intake = await database.openIntake();
  const spans = encodeSpans(defaultProject.id, decodeProtobuf(toProtobuf(largeExport())).groups);
  const counts = () =>
    database.read(
      `SELECT (SELECT count() FROM otel_traces) AS spans, (SELECT count() FROM span_lookup) AS found,
        (SELECT sum(SpanCount) FROM trace_summary) AS summed`,
    );

  const staged = await intake.stage(spans);
  await leave(20 * 1024 * 1024);
  await expect(staged.insert()).rejects.toThrow(DiskFullError);
  expect(await counts()).toEqual([{ spans: 0, found: 0, summed: 0 }]);
  await expect(intake.stage(spans)).rejects.toThrow(DiskFullError);

  await rm(filler());
  await (await intake.stage(spans)).insert();
  const whole = spans.length;
  expect(await counts()).toEqual([{ spans: whole, found: whole, summed: whole }]);
  await database.close();
}, 60_000);

/** Of text that no codec makes much smaller: 30 MB. */
function largeExport() {
  const traceId = newTraceId();
  return exportOf(
    ...Array.from({ length: 30 }, (_, n) =>
      spanAt(n, 1, {
        traceId,
        attributes: [text("noise", randomBytes(750_000).toString("base64"))],
      }),
    ),
  );
}

const filler = () => join(disk, "filler");

/** Fills the disk up to that. */
async function leave(bytes: number): Promise<void> {
  await rm(filler(), { force: true });
  const { bavail, bsize } = await statfs(disk);
  await writeFile(filler(), Buffer.alloc(bavail * bsize - bytes));
}
