import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { MAX_EXPORT_VALUES } from "../src/otlp/export-limits.js";
import { type Run, type RunningBinary, run, runInto, serve } from "./binary.js";
import { defaultProjectId, fetchToken, folderForTests, readAs } from "./harness.js";
import {
  exportOf,
  newSpanId,
  newTraceId,
  type OtlpExport,
  type OtlpSpan,
  spanAt,
  text,
} from "./otlp-message.js";

const folder = await folderForTests();
let server: RunningBinary | undefined;
afterEach(async () => {
  server?.child.kill("SIGTERM");
  await server?.exited;
  server = undefined;
});

const path = (name: string) => join(folder, name);

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function finished(command: Run): Promise<Finished> {
  const code = await command.exited;
  return { code, stdout: command.stdout(), stderr: command.stderr() };
}

const exported = (dataDir: string, ...args: string[]) =>
  finished(run("export", "--data-dir", path(dataDir), ...args));

const imported = (dataDir: string, file: string, ...args: string[]) =>
  finished(run("import", path(file), "--data-dir", path(dataDir), ...args));

async function importedText(dataDir: string, content: string): Promise<Finished> {
  const command = run("import", "-", "--data-dir", path(dataDir));
  command.child.stdin?.end(content);
  return await finished(command);
}

function linesOf(messages: readonly OtlpExport[]): string {
  return messages.map((message) => `${JSON.stringify(message)}\n`).join("");
}

/** Every span with its resource and scope, by id; times and attributes as they are written. */
function spansIn(lines: string) {
  const spans = lines
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => (JSON.parse(line) as OtlpExport).resourceSpans)
    .flatMap(({ resource, scopeSpans }) =>
      scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => ({ resource, scope, ...span }))),
    );
  return spans.sort((one, other) => (one.spanId < other.spanId ? -1 : 1));
}

/** A span with all that the store keeps. */
const richSpan = (traceId: string): OtlpSpan => ({
  traceId,
  spanId: newSpanId(),
  parentSpanId: newSpanId(),
  traceState: "vendor=1",
  name: 'größte "Frage"\n🙂',
  kind: 3,
  startTimeUnixNano: "1767323045123456789",
  endTimeUnixNano: "1767323045123456790",
  attributes: [
    text("gen_ai.prompt.0.content", "a\tb\\"),
    text("10", "ten"),
    text("2", ""),
    text("2.x", "{}"),
  ],
  events: [
    {
      timeUnixNano: "1767323045123456790",
      name: "exception",
      attributes: [text("exception.type", "E")],
    },
    { timeUnixNano: "1767323045123456791", name: "", attributes: [] },
  ],
  links: [
    {
      traceId: newTraceId(),
      spanId: newSpanId(),
      traceState: "",
      attributes: [text("why", "retry")],
    },
  ],
  status: { code: 2, message: "gave up" },
});

const ownedBy = [
  text("agentops.project.id", defaultProjectId),
  text("ProjectId", defaultProjectId),
];

test("a span comes back with all that it had: times to the nanosecond, events, links, resource and scope", async () => {
  const span = richSpan(newTraceId());
  const message = exportOf(span);
  await writeFile(path("rich.jsonl"), linesOf([message]));
  expect(await imported("rich", "rich.jsonl")).toEqual({
    code: 0,
    stdout: "",
    stderr: "Read 1 line: 1 span, now in default; 0 lines refused in whole or part.\n",
  });

  const { code, stdout, stderr } = await exported("rich");
  expect([code, stderr]).toEqual([0, "Exported 1 span.\n"]);
  const [resourceSpans] = message.resourceSpans;
  expect(spansIn(stdout)).toEqual([
    {
      resource: { attributes: [...(resourceSpans?.resource?.attributes ?? []), ...ownedBy] },
      scope: resourceSpans?.scopeSpans[0]?.scope,
      ...span,
    },
  ]);
});

const SPANS_PER_LINE = 40;
const LINES = 250;
/** As a collector writes them: spans of many traces and of two services, in the order they ended. */
function manyLines(prompt: string): string {
  const messages = Array.from({ length: LINES }, (_, line) => {
    const spans = Array.from({ length: SPANS_PER_LINE }, (_, index) => {
      const traceId = String((line * SPANS_PER_LINE + index) % 500).padStart(32, "a");
      const attributes = [text("gen_ai.prompt", prompt), text("number", `${line}/${index}`)];
      return spanAt(line * 1000 + index, 10, { traceId, attributes });
    });
    const message = exportOf(...spans);
    message.resourceSpans[0]?.resource?.attributes.push(text("shard", String(line % 2)));
    return message;
  });
  return linesOf(messages);
}

/** The most memory that a process had, in MiB, as far as it was seen. */
async function peakMib(command: Run): Promise<number> {
  let peak = 0;
  for (let running = true; running; ) {
    const status = await readFile(`/proc/${command.child.pid}/status`, "utf8").catch(() => "");
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    running = await Promise.race([
      command.exited.then(() => false),
      new Promise<boolean>((done) => setTimeout(() => done(true), 50)),
    ]);
  }
  return peak;
}

describe("10,000 spans", () => {
  test("go out of one folder into another and are the same, while servers run or not", async () => {
    const content = manyLines("Where is my order?");
    await writeFile(path("many.jsonl"), content);
    expect((await imported("first", "many.jsonl")).stderr).toBe(
      "Read 250 lines: 10,000 spans, now in default; 0 lines refused in whole or part.\n",
    );
    server = await serve(path("first"));
    const { code, stdout, stderr } = await exported("first");
    expect([code, stderr]).toEqual([0, "Exported 10,000 spans.\n"]);
    expect(spansIn(stdout).map(({ spanId }) => spanId)).toEqual(
      spansIn(content).map(({ spanId }) => spanId),
    );

    await writeFile(path("exported.jsonl.gz"), gzipSync(stdout, { level: 1 }));
    const second = await serve(path("second"));
    for (const time of ["first", "second"]) {
      expect((await imported("second", "exported.jsonl.gz")).code, time).toBe(0);
    }
    const list = await readAs(second.url, "/v4/traces", await fetchToken(second.url));
    expect(list.body).toMatchObject({ total: 500, metrics: { span_count: 10_000 } });
    second.child.kill("SIGTERM");
    await second.exited;
    expect(spansIn((await exported("second")).stdout)).toEqual(spansIn(stdout));
  });

  test.runIf(process.platform === "linux")(
    "of 16 KB are never in memory all at once",
    async () => {
      server = await serve(path("memory"));
      const content = manyLines("Where is my order? ".repeat(840));
      await writeFile(path("large.jsonl"), content);
      await writeFile(path("quarter.jsonl"), `${content.split("\n", LINES / 4).join("\n")}\n`);
      const importing = (file: string) =>
        peakMib(run("import", path(file), "--data-dir", path("memory")));
      const exporting = () => {
        const command = run("export", "--data-dir", path("memory"));
        command.child.stdout?.removeAllListeners("data").resume();
        return peakMib(command);
      };

      const moreMib = (content.length * 0.75) / 1024 ** 2;
      const [quarterIn, quarterOut] = [await importing("quarter.jsonl"), await exporting()];
      const [allIn, allOut] = [await importing("large.jsonl"), await exporting()];
      expect(allIn - quarterIn).toBeLessThan(moreMib);
      expect(allOut - quarterOut).toBeLessThan(moreMib);
    },
    60_000,
  );
});

describe("what a file may have beside spans", () => {
  const good = () => JSON.stringify(exportOf(spanAt(0, 1, { traceId: newTraceId() })));

  test("bad lines are named with what to do, and lose nothing of the others", async () => {
    const badId = JSON.stringify(
      exportOf(spanAt(0, 1, { traceId: "0".repeat(32) }), spanAt(0, 1, { traceId: newTraceId() })),
    );
    const content = [
      good(),
      "{",
      "",
      badId,
      '{"resourceMetrics":[]}',
      '{"resourceSpans":[{"scopeSpans":[{"spans":[7]}]}]}',
      `${good()}\r`,
      good(),
      `{"resourceSpans":[${Array(2 * MAX_EXPORT_VALUES)
        .fill("{}")
        .join()}]}`,
    ];
    const { code, stderr } = await importedText("bad", content.join("\n"));
    expect(code).toBe(1);
    expect(stderr.split("\n").map((line) => line.slice(0, 45))).toEqual([
      "Line 2: not an OTLP/JSON ExportTraceServiceRe",
      "Line 4: 1 span left out. Rejected: trace and ",
      "Line 5: not an OTLP/JSON ExportTraceServiceRe",
      "Line 6: 1 span left out. Rejected: trace and ",
      "Line 9: An export may hold 1048576 values at ",
      "Read 9 lines: 4 spans, now in default; 5 line",
      "",
    ]);
    expect(spansIn((await exported("bad")).stdout)).toHaveLength(4);
  });

  test("a file of another kind is not reported line by line to its end", async () => {
    const { code, stderr } = await importedText("bad", "{\n".repeat(50));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Line 20: .*\n… and 30 lines more\.\nRead 50 lines: 0 spans/m);
  });

  test("a file cut off is an error that says so", async () => {
    await writeFile(path("cut.jsonl.gz"), gzipSync("{}\n".repeat(9999)).subarray(0, 50));
    const { code, stderr } = await imported("bad", "cut.jsonl.gz");
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/not read to its end \(Z_BUF_ERROR\)/),
    ]);
  });

  test("gzip is told by its bytes, whatever the name says", async () => {
    await writeFile(path("packed.jsonl"), gzipSync(good()));
    await writeFile(path("plain.jsonl.gz"), good());
    await writeFile(path("empty.jsonl.gz"), "");
    for (const [file, spans] of [
      ["packed.jsonl", 1],
      ["plain.jsonl.gz", 1],
      ["empty.jsonl.gz", 0],
    ] as const) {
      const { code, stderr } = await imported("named", file);
      expect([code, stderr], file).toEqual([
        0,
        expect.stringMatching(
          `^Read ${spans} lines?: ${spans} spans?, now in default; 0 lines refused`,
        ),
      ]);
    }
  });

  test("gzip is told on a pipe that hands over its first byte alone", async () => {
    const packed = gzipSync(good());
    const command = run("import", "-", "--data-dir", path("named"));
    command.child.stdin?.write(packed.subarray(0, 1));
    // The binary opens its database in half a second, and reads only then.
    await delay(1_000);
    command.child.stdin?.end(packed.subarray(1));
    const { code, stderr } = await finished(command);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^Read 1 line: 1 span, now in/)]);
  });

  test("a folder is refused before anything is made", async () => {
    const { code, stderr } = await imported("never-made", ".");
    expect([code, stderr]).toEqual([1, expect.stringContaining("That is a folder")]);
    await expect(access(path("never-made"))).rejects.toThrow("ENOENT");
  });

  test("a file that is not there is an error before anything is made", async () => {
    const { code, stderr } = await imported("never-made", "is-not-there.jsonl");
    const message = `agentops-local: There is no such file: ${path("is-not-there.jsonl")}\n`;
    expect([code, stderr]).toEqual([1, message]);
    await expect(access(path("never-made"))).rejects.toThrow("ENOENT");
  });
});

test("an export is of one project, and of traces by id or time, whole", async () => {
  const [old, long, recent] = [newTraceId(), newTraceId(), newTraceId()];
  const hour = 3_600_000;
  await importedText(
    "chosen",
    linesOf([
      exportOf(
        spanAt(0, hour, { traceId: old }),
        spanAt(hour, 5 * hour, { traceId: long }),
        spanAt(4 * hour, hour, { traceId: long }),
        spanAt(7 * hour, 1, { traceId: recent }),
      ),
    ]),
  );
  const ids = async (...args: string[]) => {
    const { code, stdout } = await exported("chosen", ...args);
    expect(code).toBe(0);
    return new Set(spansIn(stdout).map(({ traceId }) => traceId));
  };
  expect(await ids()).toEqual(new Set([old, long, recent]));
  expect(await ids("--trace-id", old, "--trace-id", recent.toUpperCase())).toEqual(
    new Set([old, recent]),
  );
  expect(await ids("--since", "2026-01-02T05:30", "--until", "2026-01-02T06:00")).toEqual(
    new Set([long]),
  );
  expect(
    (await exported("chosen", "--since", "2026-01-02T05:30", "--until", "2026-01-02T06:00")).stderr,
  ).toBe("Exported 2 spans.\n");
  expect(await ids("--since", "1h")).toEqual(new Set());

  await finished(run("projects", "create", "shop", "--data-dir", path("chosen")));
  expect(await ids("--project", "shop")).toEqual(new Set());
  await writeFile(path("one.jsonl"), linesOf([exportOf(spanAt(0, 1, { traceId: old }))]));
  expect((await imported("chosen", "one.jsonl", "--project", "shop")).code).toBe(0);
  expect(await ids("--project", "shop")).toEqual(new Set([old]));
  expect((await exported("chosen", "--project", "nowhere")).stderr).toContain(
    "No project has that id or name",
  );
});

test.runIf(process.platform === "linux")(
  "an export that finds no room says so, and how far it came",
  async () => {
    await importedText("full", linesOf([exportOf(spanAt(0, 1, { traceId: newTraceId() }))]));
    const { code, stderr } = await finished(
      runInto("/dev/full", "export", "--data-dir", path("full")),
    );
    expect([code, stderr]).toEqual([
      1,
      "agentops-local: The export broke off after 0 spans: the output cannot be written (ENOSPC). Make room for it, or write it elsewhere.\n",
    ]);
  },
);

test("an export of a mistyped folder is an error, and makes none", async () => {
  const { code, stdout, stderr } = await exported("mistyped");
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(`There is no agentops-local data in ${path("mistyped")}.`);
  await expect(access(path("mistyped"))).rejects.toThrow("ENOENT");
});

describe("GET /v1/traces", () => {
  test("needs a token, and refuses parameters that mean nothing", async () => {
    server = await serve(path("route"));
    expect((await fetch(`${server.url}/v1/traces`)).status).toBe(401);
    const token = await fetchToken(server.url);
    const ids = `${newTraceId()}.${newSpanId()}`;
    for (const query of [
      "trace_id=nonsense",
      "start_time=2026-01-01",
      "start_time_unix_nano=now",
      "end_time_unix_nano=9223372036854775808",
      "cursor=1",
      `cursor=9223372036854775808.${ids}.0.1`,
      "cursor=1.no.ids.0.1",
      `cursor=1.${ids}.-1.1`,
      `cursor=1.${ids}.0.0`,
      `cursor=1.${ids}.0.10000`,
      `cursor=1.${ids}.0.1.1`,
    ]) {
      const { status, body } = await readAs(server.url, `/v1/traces?${query}`, token);
      expect([status, body.message], query).toEqual([400, expect.stringContaining("nanoseconds")]);
    }
  });

  test("a page has 1,000 spans at most, whatever its cursor asks for", async () => {
    server = await serve(path("page"));
    const traceId = newTraceId();
    const spans = Array.from({ length: 1001 }, (_, index) => spanAt(index, 1, { traceId }));
    await fetch(`${server.url}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(exportOf(...spans)),
    });
    const cursor = `9223372036854775807.${"f".repeat(32)}.${"f".repeat(16)}.0.9999`;
    const response = await fetch(`${server.url}/v1/traces?cursor=${cursor}`, {
      headers: { authorization: `Bearer ${await fetchToken(server.url)}` },
    });
    expect(spansIn(await response.text())).toHaveLength(1000);
    expect(response.headers.get("link")).toMatch(/; rel="next"$/);
  });
});
