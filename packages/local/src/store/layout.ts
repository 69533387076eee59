/** Where tables are made, which decides how. */
export type Layout =
  | { readonly kind: "embedded" }
  | { readonly kind: "server" }
  /** Replicated on the servers of a shard; a trace is whole on one shard. */
  | { readonly kind: "cluster"; readonly cluster: string; readonly database: string }
  /** Of others, who make them. */
  | { readonly kind: "read-only" };

export interface Table {
  readonly name: string;
  /** What stands between the parentheses. */
  readonly columns: string;
  /** Of the MergeTree family. */
  readonly engine: string;
  /** `PARTITION BY`, `ORDER BY`. */
  readonly order: string;
  readonly settings: Readonly<Record<string, number>>;
  /** Which shard a row is on; rows that queries bring together are on one. */
  readonly shardBy: string;
}

/** What is added to one table as rows arrive in another. */
export interface View {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly select: (from: string) => string;
}

/** By how many past inserts a server knows a repeated one; replicated tables know 10,000 by themselves. */
const REMEMBERED_INSERTS = 10_000;

/** What a table is told beside its own settings, by where it is. */
const layoutSettings: Readonly<Partial<Record<Layout["kind"], Record<string, string | number>>>> = {
  embedded: {
    // Texts and their lengths in one file: to open two took a tenth longer of a trace. An older server refuses
    // to be told so.
    string_serialization_version: "'single_stream'",
    // Columns of mostly zeros as others are: to read them from what is not zero took 5 % longer of a trace, 15 % of
    // all model calls, and saved less than a hundredth of the disk.
    ratio_of_defaults_for_sparse_serialization: 1,
  },
  server: { non_replicated_deduplication_window: REMEMBERED_INSERTS },
};

/** On a cluster two tables: the one that holds a shard's rows, and the one by its name that sees them all. */
export function createTable(table: Table, layout: Layout): string[] {
  const { name, columns, engine, order } = table;
  const create = `CREATE TABLE IF NOT EXISTS ${storedIn(name, layout)} (${columns}) ENGINE = ${layout.kind === "cluster" ? `Replicated${engine}` : engine}
${order}
SETTINGS ${settingsOf(table, layout)}`;
  if (layout.kind !== "cluster") return [create];
  const { cluster, database } = layout;
  return [
    create,
    `CREATE TABLE IF NOT EXISTS ${name} ON CLUSTER '${cluster}' AS ${localName(name)}
ENGINE = Distributed('${cluster}', '${database}', '${localName(name)}', ${table.shardBy})`,
  ];
}

function settingsOf({ settings }: Table, { kind }: Layout): string {
  return Object.entries({ ...settings, ...layoutSettings[kind] })
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}

/** On a cluster each shard adds up its own traces. */
export function createView({ name, from, to, select }: View, layout: Layout): string {
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${name}${onCluster(layout)} TO ${readIn(to, layout)} AS ${select(readIn(from, layout))}`;
}

/** Names a table in a statement that makes it or changes its rows in place, which those of a cluster do each for itself. */
export function storedIn(name: string, layout: Layout): string {
  return layout.kind === "cluster" ? `${localName(name)}${onCluster(layout)}` : name;
}

/** Names it within such a statement. */
export function readIn(name: string, layout: Layout): string {
  return layout.kind === "cluster" ? localName(name) : name;
}

function localName(name: string): string {
  return `${name}_local`;
}

export function onCluster(layout: Layout): string {
  return layout.kind === "cluster" ? ` ON CLUSTER '${layout.cluster}'` : "";
}

/**
 * PREWHERE spares the engine finding out which columns to read first, 7 % of the read of a trace. Of a
 * database that is only read, tables are `WITH` queries, which take WHERE.
 */
export function filterKeyword({ kind }: Layout): "WHERE" | "PREWHERE" {
  return kind === "read-only" ? "WHERE" : "PREWHERE";
}
