import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeDataFolder } from "./data-folder.js";
import { openEmbeddedDatabase } from "./embedded-database.js";
import type { Layout } from "./layout.js";
import type { Project } from "./projects.js";
import { readOnlyDatabase } from "./read-only-database.js";
import type { EncodedSpan } from "./row-binary.js";
import { hasTable, openServerDatabase } from "./server-database.js";

/** Values of `{name:Type}` in SQL. */
export type Parameters = Record<string, unknown>;

/** SQL in, rows out. Text from outside always travels as bound parameters, never inside the SQL text. */
export interface Database {
  /** How its tables are made. */
  readonly layout: Layout;
  /** Runs a query; several run side by side. */
  read<Row>(sql: string, parameters?: Parameters): Promise<Row[]>;
  /** Runs a statement that changes something. */
  write(sql: string, parameters?: Parameters): Promise<void>;
  /** Adds rows that may be too long for a parameter. */
  insert(table: string, rows: readonly object[]): Promise<void>;
  /** Opens the way in for spans; the tables are there by then. */
  openIntake(): Promise<SpanIntake>;
  close(): Promise<void>;
}

/** How encoded spans get into `otel_traces`, and into all that is derived from it. */
export interface SpanIntake {
  /** Takes them up to where only the insert itself is left to do. */
  stage(spans: readonly EncodedSpan[]): Promise<StagedSpans>;
}

/** Either of the two is called, once. */
export interface StagedSpans {
  /** Resolves once they are on disk, in all tables. One call at a time. */
  insert(): Promise<void>;
  discard(): Promise<void>;
}

/** A ClickHouse server, or any one of a cluster's. */
export interface ClickHouseServer {
  /** Of its HTTP interface. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly database: string;
  /** Whose servers share the traces; undefined for the one server. */
  readonly cluster?: string | undefined;
  /** It is AgentOps' own and stays as it is; the projects in it are not, so they are named here, the default one first. */
  readonly readOnly?: { readonly projects: readonly Project[] } | undefined;
}

/** Where traces are kept. */
export interface StoreLocation {
  /** Of the embedded engine, and of what each process keeps for itself. */
  readonly dataDir: string;
  /** Undefined for the embedded engine. */
  readonly clickHouse?: ClickHouseServer | undefined;
}

/** For people; the same for the same database, as long as it is written in the same way. */
export function placeOf({ dataDir, clickHouse }: StoreLocation): string {
  return clickHouse ? `database ${clickHouse.database} of ${clickHouse.url}` : dataDir;
}

/**
 * Opens the engine in `dataDir`, or connects to a server. From here on nobody knows the difference.
 *
 * @throws {StartError} when it does not open or does not answer.
 */
export async function openDatabase({ dataDir, clickHouse }: StoreLocation): Promise<Database> {
  if (clickHouse) {
    await makeDataFolder(dataDir);
    const database = await openServerDatabase(clickHouse);
    return clickHouse.readOnly ? readOnlyDatabase(database, clickHouse) : database;
  }
  return await openEmbeddedDatabase(engineFolder(dataDir), join(dataDir, "incoming"));
}

/**
 * True if a program was there before and made its tables.
 *
 * @throws {StartError} when a server does not answer, or not to this user.
 */
export async function hasTraces({ dataDir, clickHouse }: StoreLocation): Promise<boolean> {
  return clickHouse ? await hasTable(clickHouse) : existsSync(engineFolder(dataDir));
}

function engineFolder(dataDir: string): string {
  return join(dataDir, "clickhouse");
}
