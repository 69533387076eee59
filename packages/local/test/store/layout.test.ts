import { rmSync } from "node:fs";
import { Session } from "chdb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { removals } from "../../src/store/expiry.js";
import { createTable, createView, type Layout } from "../../src/store/layout.js";
import { migrationsFor } from "../../src/store/schema.js";
import { temporaryFolder } from "../harness.js";

const embedded: Layout = { kind: "embedded" };
const server: Layout = { kind: "server" };
const cluster: Layout = { kind: "cluster", cluster: "east", database: "traces" };

const table = {
  name: "calls",
  columns: "id String",
  engine: "AggregatingMergeTree",
  order: "ORDER BY id",
  settings: { index_granularity: 512 },
  shardBy: "cityHash64(id)",
};

test("a table of one machine has few files", () => {
  expect(createTable(table, embedded)).toEqual([
    `CREATE TABLE IF NOT EXISTS calls (id String) ENGINE = AggregatingMergeTree
ORDER BY id
SETTINGS index_granularity = 512, string_serialization_version = 'single_stream', ratio_of_defaults_for_sparse_serialization = 1`,
  ]);
});

test("a server's remembers inserts, to know a repeated one", () => {
  expect(createTable(table, server)).toEqual([
    `CREATE TABLE IF NOT EXISTS calls (id String) ENGINE = AggregatingMergeTree
ORDER BY id
SETTINGS index_granularity = 512, non_replicated_deduplication_window = 10000`,
  ]);
});

test("a cluster's is a replicated one on each shard, and one that sees them all", () => {
  expect(createTable(table, cluster)).toEqual([
    `CREATE TABLE IF NOT EXISTS calls_local ON CLUSTER 'east' (id String) ENGINE = ReplicatedAggregatingMergeTree
ORDER BY id
SETTINGS index_granularity = 512`,
    `CREATE TABLE IF NOT EXISTS calls ON CLUSTER 'east' AS calls_local
ENGINE = Distributed('east', 'traces', 'calls_local', cityHash64(id))`,
  ]);
});

test("a cluster's view adds up what its own shard got", () => {
  const view = {
    name: "calls_view",
    from: "calls",
    to: "sums",
    select: (from: string) => `SELECT id FROM ${from}`,
  };
  expect(createView(view, embedded)).toBe(
    "CREATE MATERIALIZED VIEW IF NOT EXISTS calls_view TO sums AS SELECT id FROM calls",
  );
  expect(createView(view, cluster)).toBe(
    "CREATE MATERIALIZED VIEW IF NOT EXISTS calls_view ON CLUSTER 'east' TO sums_local AS SELECT id FROM calls_local",
  );
});

describe("the engine reads every statement that makes a table", () => {
  let engine: Session;
  let folder: string;
  beforeAll(async () => {
    folder = await temporaryFolder();
    engine = new Session(folder);
  });
  afterAll(() => {
    engine.close();
    rmSync(folder, { recursive: true });
  });

  test.each([embedded, server, cluster])("of the layout %o", (layout) => {
    const statements = migrationsFor(layout).flatMap((migration) => migration.statements);
    for (const statement of statements) {
      expect(engine.query(`EXPLAIN AST ${statement}`)).toMatch(/^"CreateQuery /);
    }
    const replicated = statements.filter((statement) => statement.includes("ENGINE = Replicated"));
    const distributed = statements.filter((statement) =>
      statement.includes("ENGINE = Distributed"),
    );
    const tableCount = layout.kind === "cluster" ? 5 : 0;
    expect([replicated.length, distributed.length]).toEqual([tableCount, tableCount]);
  });

  test("and every one that removes old rows, on each server of a cluster from its own table", () => {
    for (const statement of removals(cluster, 0n)) {
      expect(engine.queryBind("SELECT formatQuery({statement:String})", { statement })).toMatch(
        /^"(DELETE FROM|ALTER TABLE) (otel_traces|trace_summary|span_lookup|uploads)_local ON CLUSTER east/,
      );
    }
  });

  test("and no other layout of rows for one kind than for another", () => {
    const columns = (layout: Layout) =>
      migrationsFor(layout)
        .flatMap((migration) => migration.statements)
        .flatMap((statement) => /\((.*)\) ENGINE/s.exec(statement)?.[1] ?? []);
    expect(columns(cluster)).toEqual(columns(embedded));
    expect(columns(server)).toEqual(columns(embedded));
  });
});
