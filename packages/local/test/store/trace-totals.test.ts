import { afterAll, beforeAll, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/store/database.js";
import { removeExpired } from "../../src/store/expiry.js";
import { defaultProject, openStore } from "../../src/store/index.js";
import { createTotals, type ReadTotals } from "../../src/store/trace-totals.js";
import { folderForTests } from "../harness.js";
import { newSpanId, newTraceId } from "../otlp-message.js";

const SECOND_NANO = 1_000_000_000n;
const everything = { fromUnixNano: undefined, untilUnixNano: undefined, text: "" };

let database: Database;
let statements: string[];
/** Runs once, before the next statement that asks for the shares of new parts. */
let interruption: (() => Promise<void>) | undefined;
let totals: ReadTotals;

beforeAll(async () => {
  const dataDir = await folderForTests();
  await (await openStore({ dataDir })).close();
  database = await openDatabase({ dataDir });
  totals = createTotals({
    ...database,
    async read(sql, parameters) {
      statements.push(sql);
      if (isOfNewParts(sql)) {
        const interrupt = interruption;
        interruption = undefined;
        await interrupt?.();
      }
      return await database.read(sql, parameters);
    },
  });
});
afterAll(() => database.close());

const isOfNewParts = (sql: string) => sql.includes("_part IN");
const asksAllShares = () => statements.some((sql) => sql.includes("sum(SpanCount)), ' '"));

/** Starts so many seconds after the epoch. */
async function addSpan(traceId: string, second = 1000n): Promise<void> {
  await database.write(
    `INSERT INTO otel_traces (Timestamp, TraceId, SpanId, SpanName, ResourceAttributes)
    SELECT fromUnixTimestamp64Nano({start:Int64}), {traceId:String}, {spanId:String}, 'work', map('agentops.project.id', {projectId:String})`,
    { start: second * SECOND_NANO, traceId, spanId: newSpanId(), projectId: defaultProject.id },
  );
}

const merge = () => database.write("OPTIMIZE TABLE trace_summary FINAL");

/** What is kept since the read before is what another process, which has read nothing yet, reads. */
async function expectTotalsOfNow(): Promise<void> {
  statements = [];
  const kept = await totals(defaultProject.id, everything);
  expect(kept).toEqual(await createTotals(database)(defaultProject.id, everything));
}

test("after what came, by its share alone", async () => {
  const traceId = newTraceId();
  await addSpan(traceId);
  await addSpan(newTraceId());
  await expectTotalsOfNow();
  await addSpan(traceId);
  await expectTotalsOfNow();
  expect(statements.some(isOfNewParts)).toBe(true);
  expect(asksAllShares()).toBe(false);
});

test("after nothing, by the names of the parts alone", async () => {
  await expectTotalsOfNow();
  expect(statements).toHaveLength(1);
});

test("after a merge, of old parts or with a new one", async () => {
  await merge();
  await expectTotalsOfNow();
  await addSpan(newTraceId());
  await merge();
  await expectTotalsOfNow();
  expect(asksAllShares()).toBe(true);
});

test("while the new parts are merged", async () => {
  await expectTotalsOfNow();
  await addSpan(newTraceId());
  interruption = merge;
  await expectTotalsOfNow();
  expect(interruption).toBeUndefined();
  expect(asksAllShares()).toBe(true);
});

test("after spans that came while others were looked for", async () => {
  await expectTotalsOfNow();
  await addSpan(newTraceId());
  interruption = () => addSpan(newTraceId());
  await totals(defaultProject.id, everything);
  expect(interruption).toBeUndefined();
  await expectTotalsOfNow();
});

test("after a removal, with what came since", async () => {
  const traceId = newTraceId();
  await addSpan(traceId, 1n);
  await expectTotalsOfNow();
  await removeExpired(database, 10n * SECOND_NANO);
  await addSpan(newTraceId());
  await expectTotalsOfNow();
});
