import { expect, test } from "vitest";
import { serve } from "../binary.js";
import { fetchToken, folderForTests, readAs } from "../harness.js";
import { brokenTraces, createExporter, sendExport } from "./exporter.js";

const ROUNDS = 20;
const SENDERS = 4;
const ACKNOWLEDGED_PER_ROUND = 20;

const folder = await folderForTests();

test("twenty times kill -9 during ingest lose nothing that was acknowledged, and what is sent again is stored once", async () => {
  const exporter = createExporter();

  for (let round = 1; round <= ROUNDS; round++) {
    const victim = await serve(folder);
    const enough = round * ACKNOWLEDGED_PER_ROUND;
    const keepSending = async () => {
      while (await exporter.sendTrace(victim.url)) {
        if (exporter.acknowledged.size >= enough) victim.child.kill("SIGKILL");
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, keepSending));
    expect(await victim.exited).toBeNull();
    expect(exporter.acknowledged.size).toBeGreaterThanOrEqual(enough);
  }

  const survivor = await serve(folder);
  expect(await brokenTraces(survivor.url, exporter.acknowledged)).toEqual([]);

  for (const message of exporter.sent.values()) {
    expect((await sendExport(survivor.url, message)).status).toBe(200);
  }
  expect(await brokenTraces(survivor.url, exporter.sent.keys())).toEqual([]);
  const { body } = await readAs(survivor.url, "/v4/traces", await fetchToken(survivor.url));
  expect(body.total).toBe(exporter.sent.size);

  survivor.child.kill("SIGTERM");
  await survivor.exited;
}, 180_000);
