import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClickHouseFront, clickHouseUser, startClickHouseFront } from "./clickhouse-front.js";
import { folderForTests, startTestServer, type TestServer } from "./harness.js";
import { exportOf, newTraceId, type OtlpSpan, spanAt, text, toJson } from "./otlp-message.js";

/** What docs/scale.md tells people to run on their server, run as it stands there. */
const page = await readFile(new URL("../../../docs/scale.md", import.meta.url), "utf8");

/** The SQL under a heading, a statement each. */
function statementsUnder(heading: string): string[] {
  const [, section = ""] = page.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return [...own.matchAll(/^ *```sql\n(.*?)```/gms)].flatMap(([, sql = ""]) => statementsIn(sql));
}

const statementsIn = (sql: string) =>
  sql.split(/;$/m).filter((statement) => statement.trim() !== "");

const dataDir = await folderForTests();
let front: ClickHouseFront;
let server: TestServer;

async function start(): Promise<void> {
  const clickHouse = { ...clickHouseUser, url: front.url, database: "agentops" };
  server = await startTestServer(dataDir, { clickHouse });
}

beforeAll(async () => {
  front = await startClickHouseFront();
  await start();
});
afterAll(async () => {
  await server.close();
  await front.close();
});

async function run(sql: string): Promise<string> {
  const { username, password } = clickHouseUser;
  const response = await fetch(`${front.url}/?database=agentops`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`${username}:${password}`)}` },
    body: sql,
  });
  const answer = await response.text();
  expect(response.status, answer).toBe(200);
  return answer;
}

async function send(...spans: OtlpSpan[]): Promise<number> {
  const response = await fetch(`${server.url}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: toJson(exportOf(...spans)),
  });
  return response.status;
}

/** What the sums and the lookup say. */
async function derived(spanIds: readonly string[]) {
  const { body } = await server.read("/v4/traces");
  const located = await Promise.all(spanIds.map((id) => server.read(`/public/v1/spans/${id}`)));
  return { ...body, statuses: located.map(({ status }) => status) };
}

test("what an insert left half done is derived again", async () => {
  const traceId = newTraceId();
  const first = spanAt(0, 10, { traceId });
  const late = spanAt(1_000, 10, { traceId });
  const whole = spanAt(-1_000, 10, {
    traceId: newTraceId(),
    status: { code: 2 },
    attributes: [
      text("gen_ai.request.model", "gpt-4o-mini"),
      text("gen_ai.usage.prompt_tokens", "70"),
      text("gen_ai.usage.completion_tokens", "5"),
      text("agentops.tags", '["kept"]'),
    ],
  });
  const earlier = spanAt(-600_000, 10, { traceId: newTraceId() });
  const ids = [first, late, whole, earlier].map(({ spanId }) => spanId);
  expect(await send(first, whole, earlier)).toBe(200);

  for (const table of ["trace_summary", "span_lookup"]) {
    front.ask(`ALTER TABLE agentops.${table} ADD CONSTRAINT broken CHECK 0`);
  }
  expect(await send(late)).toBe(503);
  for (const table of ["trace_summary", "span_lookup"]) {
    front.ask(`ALTER TABLE agentops.${table} DROP CONSTRAINT broken`);
  }
  const before = await derived(ids);
  expect(before).toMatchObject({ metrics: { span_count: 3 }, statuses: [200, 404, 200, 200] });
  expect((await server.read("/v4/spans/search")).body.spans).toHaveLength(4);

  for (const time of ["once", "and again"]) {
    await server.close();
    for (const statement of statementsUnder("After a server died amid an insert")) {
      for (const printed of statementsIn(await run(statement))) await run(printed);
    }
    await start();
    const after = await derived(ids);
    expect(after, time).toMatchObject({
      total: 3,
      metrics: { span_count: 4 },
      statuses: [200, 200, 200, 200],
    });
    expect(after.traces[0]).toMatchObject({ trace_id: traceId, span_count: 2 });
    expect(after.traces.slice(1)).toEqual(before.traces.slice(1));
  }
  expect(await send(late)).toBe(200);
  expect((await derived(ids)).metrics.span_count).toBe(4);
});

test("what there is to watch can be asked for", async () => {
  const statements = statementsUnder("Watch");
  expect(statements).toHaveLength(3);
  for (const statement of statements) await run(statement.replaceAll("'east'", "'one'"));
});
