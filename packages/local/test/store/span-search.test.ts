import { rm } from "node:fs/promises";
import fc from "fast-check";
import { spellingsOf } from "mcp-server-agentops-api/semconv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "../../src/store/database.js";
import { defaultProject, openStore, type Store } from "../../src/store/index.js";
import { temporaryFolder } from "../harness.js";
import { newSpanId, newTraceId, START_UNIX_NANO } from "../otlp-message.js";

const project = defaultProject.id;
const words = ["timeout", "Straße", "Müller", "it's", '{"ticket":', "错误", "u00fc", "a1", "100%"];
const joints = [" ", "", "_", "\\", '"', "\t", "é"];
/** Of which each part, and each whole, is looked for. */
const texts = words.flatMap((word, index) =>
  joints.map((joint) => `${word}${joint}${words[(index + joint.length + 1) % words.length]}`),
);
/** As they are, and as a payload holds them. */
const values = texts.flatMap((text) => [text, toAsciiJson(text)]);

let dataDir: string;
let store: Store;

beforeAll(async () => {
  dataDir = await temporaryFolder();
  const before = await openStore({ dataDir });
  await before.addSpans(project, values.map(groupWith));
  await before.close();
  // Merged, as what has been there for some time is: merges build the text index.
  const database = await openDatabase({ dataDir });
  await database.write("OPTIMIZE TABLE otel_traces FINAL");
  const indexes = await database.read(
    "SELECT 1 FROM system.data_skipping_indices WHERE name = 'idx_text' AND data_compressed_bytes > 0",
  );
  expect(indexes).toHaveLength(1);
  await database.close();
  store = await openStore({ dataDir });
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true });
});

test("every part of a text is found through the index, whatever letters and marks it has", async () => {
  const part = fc
    .tuple(fc.constantFrom(...texts), fc.nat(), fc.nat())
    .map(([text, from, length]) => {
      const start = from % text.length;
      return text.slice(start, start + 1 + (length % (text.length - start)));
    });
  await fc.assert(
    fc.asyncProperty(part, async (text) => {
      const spellings = spellingsOf(text);
      const holding = values.filter((value) =>
        spellings.some((spelling) => value.toLowerCase().includes(spelling)),
      );
      expect((await find(text)).sort()).toEqual(holding.sort());
    }),
    { numRuns: 100 },
  );
});

test("a text is found within one value, and not across two", async () => {
  const group = groupWith("alpha\nbeta");
  const [span] = group.spans;
  if (!span) throw new Error("There is a span.");
  const apart = {
    ...span,
    spanId: newSpanId(),
    attributes: [
      ["a", "gamma"],
      ["b", "delta"],
    ] as const,
  };
  await store.addSpans(project, [{ ...group, spans: [span, apart] }]);
  expect(await find("alpha\nbeta")).toEqual(["alpha\nbeta"]);
  expect(await find("gamma")).toHaveLength(1);
  expect(await find("gamma\ndelta")).toEqual([]);
});

async function find(text: string): Promise<string[]> {
  const spans = await store.searchSpans(project, { ...everything, text });
  return spans.map(({ attributes }) => attributes.value ?? "");
}

const everything = {
  traceIds: [],
  fromUnixNano: undefined,
  untilUnixNano: undefined,
  name: undefined,
  model: undefined,
  tool: undefined,
  agent: undefined,
  agentopsKind: undefined,
  status: undefined,
  minDurationNano: undefined,
  minCostUsd: undefined,
  attributes: [],
  // More than there are, so that the newest spans alone never fill it.
  limit: 1000,
  after: undefined,
};

function toAsciiJson(text: string): string {
  return JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function groupWith(value: string) {
  const span = {
    traceId: newTraceId(),
    spanId: newSpanId(),
    parentSpanId: "",
    traceState: "",
    name: "x",
    kind: "Internal" as const,
    startUnixNano: START_UNIX_NANO,
    durationNano: 1n,
    status: "Ok" as const,
    statusMessage: "",
    attributes: [["value", value]] as const,
    events: [],
    links: [],
  };
  const resource = { serviceName: "agentops", attributes: [] };
  return { resource, scope: { name: "", version: "" }, spans: [span] };
}
