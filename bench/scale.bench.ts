/** Starts, and reads over HTTP, at growing numbers of spans: up to a million, or `npm run bench -- scale --spans 10000000`. */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { createReader, startLocalServer, withFolder } from "./local-server.js";
import { median, printTable, rounded } from "./report.js";
import { fill, rareWordOf, spanIdOf, traceIdOf } from "./scale-fill.js";

const { values } = parseArgs({
  allowPositionals: true,
  options: { spans: { type: "string", default: "1000000" } },
});
const ROUNDS = 20;
/** Not measured: for its first reads a process compiles what it runs, and the engine opens its parts. */
const WARM_UP_ROUNDS = 20;
const sizes = [10_000, 100_000, 1_000_000, 10_000_000].filter(
  (size) => size <= Number(values.spans),
);

interface Read {
  readonly what: string;
  readonly goalMs: number;
  readonly path: (span: number) => string;
  /** What is done, and not measured, before each read. */
  readonly before?: (url: string) => Promise<void>;
}

/** What is read, with a span of the store to read it for; and how long it may take at ten million. */
const reads: readonly Read[] = [
  { what: "first page of the list", goalMs: 50, path: () => "/v4/traces?limit=20" },
  { what: "trace by id", goalMs: 20, path: (span) => `/v4/traces/${traceIdOf(span)}` },
  { what: "span by id", goalMs: 20, path: (span) => `/public/v1/spans/${spanIdOf(span)}` },
  {
    what: "search, a word of one span",
    goalMs: 1000,
    path: (span) => `/v4/spans/search?text=${rareWordOf(llmSpan(span))}`,
  },
  {
    what: "search, words of many spans",
    goalMs: 1000,
    path: () => "/v4/spans/search?text=request%20took%20too",
  },
  { what: "metrics by model", goalMs: 2000, path: () => "/v4/spans/metrics?group_by=model" },
  { what: "metrics of all traces", goalMs: 2000, path: () => "/v4/spans/metrics" },
  // Last of each size, because it adds small parts to what the others read.
  {
    what: "first page of the list, after a new span",
    goalMs: 50,
    path: () => "/v4/traces?limit=20",
    before: addSpan,
  },
];

/** The last span of each trace is a model call. */
const llmSpan = (span: number) => span - (span % 20) + 19;

const columns = await withFolder(async (folder) => {
  const measured: { size: number; mediansMs: number[] }[] = [];
  let filled = 0;
  for (const size of sizes) {
    await fill(folder, filled, size);
    filled = size;
    measured.push({
      size,
      mediansMs: [await measureStart(folder), ...(await measure(folder, size))],
    });
  }
  return measured;
});

printTable(
  `Reads over HTTP, median ms of ${ROUNDS}, after ${WARM_UP_ROUNDS} that are not measured`,
  [{ what: "start to listening", goalMs: 1500 }, ...reads].map(({ what, goalMs }, index) => ({
    what,
    ...Object.fromEntries(
      columns.map(({ size, mediansMs }) => [
        `${size.toLocaleString("en")} spans`,
        rounded(mediansMs[index] ?? Number.NaN),
      ]),
    ),
    "goal at 10,000,000": goalMs,
  })),
);

async function measureStart(folder: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startLocalServer(folder);
    times.push(server.startMs);
    await server.stop();
  }
  return median(times);
}

async function measure(folder: string, size: number): Promise<number[]> {
  const server = await startLocalServer(folder);
  try {
    const read = await createReader(server.url);
    const medians: number[] = [];
    for (const { path, before } of reads) {
      const prepare = async () => await before?.(server.url);
      medians.push(await medianOf(prepare, () => read(path(randomSpan(size)))));
    }
    return medians;
  } finally {
    await server.stop();
  }
}

function randomSpan(size: number): number {
  return Math.floor(Math.random() * size);
}

async function addSpan(url: string): Promise<void> {
  const startTimeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
  const [traceId, spanId] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
  const span = {
    traceId,
    spanId,
    name: "new",
    startTimeUnixNano,
    endTimeUnixNano: startTimeUnixNano,
  };
  const response = await fetch(`${url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
  });
  if (!response.ok) throw new Error(`The span was not taken: ${response.status}`);
}

async function medianOf(
  prepare: () => Promise<void>,
  run: () => Promise<unknown>,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    await prepare();
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  return median(times.slice(WARM_UP_ROUNDS));
}
