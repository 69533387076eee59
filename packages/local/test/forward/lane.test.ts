import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Forwarder, openForwarder } from "../../src/forward/forwarder.js";
import { MAX_FAILED_TRIES } from "../../src/forward/lane.js";
import { type Entry, openQueue } from "../../src/forward/queue.js";
import { temporaryFolder } from "../harness.js";

/** A cloud that fails one route, or one body, for good: a real one does not do so on demand. */
let cloud: Server;
let isFailing: (request: { readonly path: string; readonly body: string }) => boolean;
let arrived: string[];
let failures: number;

let folder: string;
let forwarder: Forwarder;
let warnings: string[];
let errors: unknown[];

beforeEach(async () => {
  folder = await temporaryFolder();
  [isFailing, arrived, failures, warnings, errors] = [() => false, [], 0, [], []];
  cloud = createServer(async (request, response) => {
    const path = request.url ?? "";
    if (path === "/v3/auth/token") {
      const project_id = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
      return response.end(JSON.stringify({ token: "token", project_id }));
    }
    // The start asks whether anybody is there.
    if (request.headers.authorization === undefined) return response.end();
    const body = await text(request);
    if (isFailing({ path, body })) failures++;
    else arrived.push(body);
    response.writeHead(isFailing({ path, body }) ? 500 : 200).end();
  });
  cloud.listen(0, "127.0.0.1");
  await once(cloud, "listening");
});
afterEach(async () => {
  await forwarder.close();
  cloud.closeAllConnections();
  cloud.close();
  await rm(folder, { recursive: true });
  expect(errors).toEqual([]);
});

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Opened late, so that what was queued before is tried in its order. */
async function open(): Promise<void> {
  const { port } = cloud.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  forwarder = await openForwarder({
    folder,
    urls: { api: url, exporter: url },
    fetch,
    pace: { firstMs: 1, maxMs: 5 },
    onError: (error) => errors.push(error),
    onWarning: (message) => warnings.push(message),
  });
}

const log = (body: string): Entry => ({
  target: "api",
  path: "/v4/logs/upload/",
  headers: {},
  apiKey: "11111111-2222-3333-4444-555555555555",
  body: Buffer.from(body),
});
const anExport: Entry = { ...log("spans"), target: "exporter", path: "/v1/traces" };

async function eventually(check: () => void): Promise<void> {
  await vi.waitFor(check, { timeout: 10_000, interval: 5 });
}

const isLog = ({ path }: { readonly path: string }) => path === "/v4/logs/upload/";

test("a route that always fails holds up no exports, and loses nothing once it answers again", async () => {
  isFailing = isLog;
  await open();
  for (const body of ["1", "2", "3", "4", "5"]) await forwarder.add(log(body));
  for (let count = 0; count < 3; count++) await forwarder.add(anExport);
  await eventually(() => expect(forwarder.status()).toMatchObject({ queued: 5, sent: 3 }));
  await eventually(() => expect(failures).toBeGreaterThan(20));

  isFailing = () => false;
  await eventually(() => {
    expect(forwarder.status()).toMatchObject({ queued: 0, queued_bytes: 0, sent: 8, dropped: 0 });
  });
  expect(arrived.filter((body) => /^\d$/.test(body)).sort()).toEqual(["1", "2", "3", "4", "5"]);
});

test("entries that always fail let those behind them through", async () => {
  isFailing = ({ body }) => body.startsWith("bad");
  const queue = await openQueue(join(folder, "api"));
  for (let count = 0; count < 40; count++) await queue.add(log(`bad ${count}`));
  await queue.add(log("good"));
  await open();
  await eventually(() => expect(forwarder.status()).toMatchObject({ queued: 40, sent: 1 }));
  await forwarder.add(log("good too"));
  await eventually(() => expect(forwarder.status()).toMatchObject({ queued: 40, sent: 2 }));
  expect(arrived).toEqual(["good", "good too"]);
});

test("an entry is dropped once it has failed too often while others got through", async () => {
  isFailing = ({ body }) => body === "bad";
  await open();
  await forwarder.add(log("bad"));
  while (forwarder.status().dropped === 0) await forwarder.add(log("good"));
  expect(failures).toBeGreaterThan(MAX_FAILED_TRIES);
  await eventually(() => {
    expect(forwarder.status()).toMatchObject({ queued: 0, queued_bytes: 0, dropped: 1 });
  });
  expect(warnings).toEqual([expect.stringContaining("the cloud has failed too often")]);
});

test("an entry that failed comes again although there are always new ones", async () => {
  isFailing = ({ body }) => body === "late" && failures === 0;
  const queue = await openQueue(join(folder, "api"));
  await queue.add(log("late"));
  for (let count = 0; count < 40; count++) await queue.add(log(`new ${count}`));
  await open();
  await eventually(() => expect(forwarder.status()).toMatchObject({ queued: 0, sent: 41 }));
  expect(arrived.indexOf("late")).toBeLessThan(20);
});

test("no entry is dropped while its host takes none, whatever the other takes", async () => {
  isFailing = isLog;
  await open();
  await forwarder.add(log("kept"));
  while (failures <= 3 * MAX_FAILED_TRIES) await forwarder.add(anExport);
  await eventually(() => {
    expect(forwarder.status()).toMatchObject({ queued: 1, dropped: 0 });
  });
});

test("no entry is dropped while the cloud takes none, however often it fails", async () => {
  isFailing = () => true;
  await open();
  await forwarder.add(log("kept"));
  await forwarder.add(anExport);
  await eventually(() => expect(failures).toBeGreaterThan(3 * MAX_FAILED_TRIES));
  expect(forwarder.status()).toMatchObject({ queued: 2, sent: 0, dropped: 0 });
});

test("a damaged entry is removed, counted and named without its content, and the rest is sent", async () => {
  const queue = await openQueue(join(folder, "exporter"));
  await writeFile(join(folder, "exporter", "000000000000.entry"), "");
  await writeFile(join(folder, "exporter", "000000000001.entry"), '{"apiKey":"my key"\n');
  expect(queue.size().entries).toBe(0);
  await open();
  await forwarder.add(anExport);
  await eventually(() => {
    expect(forwarder.status()).toMatchObject({ queued: 0, queued_bytes: 0, sent: 1, dropped: 2 });
  });
  expect(warnings.sort()).toEqual(
    ["000000000000.entry", "000000000001.entry"].map(
      (name) =>
        `${join(folder, "exporter", name)} is damaged, or gone. It was removed, and is not forwarded.`,
    ),
  );
});
