import { afterEach, beforeEach, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/store/database.js";
import { removeExpired } from "../../src/store/expiry.js";
import { defaultProject, openStore } from "../../src/store/index.js";
import { createTotals, type ReadTotals, type TraceTotals } from "../../src/store/trace-totals.js";
import { folderForTests } from "../harness.js";
import { newSpanId, newTraceId } from "../otlp-message.js";

const project = defaultProject.id;
const SECOND_NANO = 1_000_000_000n;
const everything = { fromUnixNano: undefined, untilUnixNano: undefined, text: "" };

/** Ids begin with the share, two hexadecimal digits. */
const traceIn = (share: string) => share + newTraceId().slice(share.length);

let database: Database;
let dataDir: string;
let totals: ReadTotals;
/** What the last read of the totals asked. */
let asked: { readonly sql: string; readonly parameters: object }[];
/** Runs once, before the next statement that asks for the shares of new parts. */
let interruption: (() => Promise<void>) | undefined;

beforeEach(async () => {
  dataDir = await folderForTests();
  await (await openStore({ dataDir })).close();
  database = await openDatabase({ dataDir });
  // None but those below, so that which parts there are is known.
  await database.write("SYSTEM STOP MERGES trace_summary");
  totals = createTotals({
    ...database,
    async read(sql, parameters = {}) {
      asked.push({ sql, parameters });
      if (sql.includes("_part IN")) {
        const interrupt = interruption;
        interruption = undefined;
        await interrupt?.();
      }
      return await database.read(sql, parameters);
    },
  });
  await addSpan(traceIn("aa"));
  await addSpan(traceIn("bb"));
  await expectTotalsOfNow({ traceCount: 2 });
});
afterEach(() => database.close());

interface Added {
  /** After the epoch. */
  readonly second?: bigint;
  readonly projectId?: string;
}

async function addSpan(traceId: string, { second = 1000n, projectId = project }: Added = {}) {
  await database.write(
    `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ResourceAttributes)
    SELECT fromUnixTimestamp64Nano({start:Int64}), {traceId:String}, {spanId:String}, 'work', map('agentops.project.id', {projectId:String})`,
    { start: second * SECOND_NANO, traceId, spanId: newSpanId(), projectId },
  );
}

async function merge() {
  await database.write("SYSTEM START MERGES trace_summary");
  await database.write("OPTIMIZE TABLE trace_summary FINAL");
  await database.write("SYSTEM STOP MERGES trace_summary");
}

/** What is kept since the read before is what another process, which has read nothing yet, reads. */
async function expectTotalsOfNow(expected: Partial<TraceTotals>): Promise<void> {
  asked = [];
  const kept = await totals(project, everything);
  expect(kept).toMatchObject(expected);
  expect(kept).toEqual(await createTotals(database)(project, everything));
}

/** Of which shares the figures of traces were read; undefined: of none. */
function sharesRead(): unknown[] | undefined {
  const ofTraces = asked.find(({ sql }) => sql.includes("GROUP BY cityHash64(TraceId)"));
  return (
    ofTraces &&
    Object.entries(ofTraces.parameters).flatMap(([name, value]) =>
      name.startsWith("share") ? [value] : [],
    )
  );
}

test("after nothing, the names of the parts tell", async () => {
  await expectTotalsOfNow({ traceCount: 2 });
  expect(asked).toHaveLength(1);
});

test("after new spans, their share is read", async () => {
  const traceId = traceIn("cc");
  await addSpan(traceId);
  await expectTotalsOfNow({ traceCount: 3, spanCount: 3 });
  expect(sharesRead()).toEqual(["cc"]);
  await addSpan(traceId);
  await expectTotalsOfNow({ traceCount: 3, spanCount: 4 });
  expect(sharesRead()).toEqual(["cc"]);
});

test("after new spans of another project, no share is read", async () => {
  await addSpan(traceIn("aa"), { projectId: "another" });
  await expectTotalsOfNow({ traceCount: 2 });
  expect(sharesRead()).toBeUndefined();
});

test("after a merge, no share is read, however the parts came", async () => {
  for (const share of ["cc", "dd", "ee"]) {
    await addSpan(traceIn(share));
    await expectTotalsOfNow({});
  }
  await merge();
  await expectTotalsOfNow({ traceCount: 5 });
  expect(sharesRead()).toBeUndefined();
});

test("after a merge with a new part, its share is read", async () => {
  await addSpan(traceIn("cc"));
  await merge();
  await expectTotalsOfNow({ traceCount: 3 });
  expect(sharesRead()).toEqual(["cc"]);
});

test("where new parts are merged before they are asked, their share is read", async () => {
  await addSpan(traceIn("cc"));
  interruption = merge;
  await expectTotalsOfNow({ traceCount: 3 });
  expect(interruption).toBeUndefined();
  expect(sharesRead()).toEqual(["cc"]);
});

test("what comes while others are asked for is in the next totals", async () => {
  await addSpan(traceIn("cc"));
  interruption = () => addSpan(traceIn("dd"));
  await totals(project, everything);
  expect(interruption).toBeUndefined();
  await expectTotalsOfNow({ traceCount: 4 });
});

test("after a removal, with what came since", async () => {
  await addSpan(traceIn("cc"), { second: 1n });
  await expectTotalsOfNow({ traceCount: 3 });
  await database.write("SYSTEM START MERGES trace_summary");
  await removeExpired(database, 10n * SECOND_NANO);
  await addSpan(traceIn("dd"));
  await expectTotalsOfNow({ traceCount: 3, spanCount: 3 });
  expect(sharesRead()).toEqual(["dd"]);
});
