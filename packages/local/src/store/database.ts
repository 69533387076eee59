import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  createClient,
} from "@clickhouse/client";
import { createChdbConnection } from "chdb/connection";
import { StartError, systemCode } from "../start-error.js";

type ClientConnection = NonNullable<ClickHouseClientConfigOptions["connection"]>;
type Parameters = Record<string, unknown>;

/** SQL in, rows out. Values always travel as bound parameters, never inside the SQL text. */
export interface Database {
  /** Runs a query; several run side by side. */
  read<Row>(sql: string, parameters?: Parameters): Promise<Row[]>;
  /** Runs a statement that changes something; one at a time. */
  write(sql: string, parameters?: Parameters): Promise<void>;
  /** Adds rows that may be too long for a parameter. */
  insert(table: string, rows: readonly object[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * The engine runs one statement at a time per connection, so reads have their own: without them every
 * read would wait for the insert in progress. More readers than cores do not read faster.
 */
const READER_COUNT = 2;

/**
 * Opens the embedded engine on a folder, which it creates.
 *
 * @throws {StartError} when there can be no such folder, or the engine does not open it.
 */
export async function openDatabase(path: string): Promise<Database> {
  await makeFolder(path).catch((error) => {
    throw new StartError(
      `The folder ${path} cannot be made (${systemCode(error)}). Choose another --data-dir.`,
      { cause: error },
    );
  });

  const writer = connect(path);
  await writer.command({ query: "CREATE DATABASE IF NOT EXISTS agentops" });
  const readers = Array.from({ length: READER_COUNT }, () => connect(path));
  const clients = [writer, ...readers];
  for (const client of clients) await client.command({ query: "USE agentops" });

  let turn = 0;

  return {
    async read<Row>(sql: string, parameters: Parameters = {}) {
      turn = (turn + 1) % READER_COUNT;
      const client = readers[turn] ?? writer;
      const result = await client.query({
        query: sql,
        query_params: parameters,
        format: "JSONEachRow",
      });
      return await result.json<Row>();
    },

    async write(sql, parameters = {}) {
      await writer.command({ query: sql, query_params: parameters });
    },

    async insert(table, rows) {
      await writer.insert({ table, values: rows, format: "JSONEachRow" });
    },

    async close() {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

/** Unlike `mkdir` with `recursive`, it returns where the parent is one like /proc, which takes no folders. */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolder(dirname(path));
  // Prompts and keys are for this user's eyes only.
  await mkdir(path, { mode: 0o700 });
}

/** The engine prints by itself why it does not open a folder, and to its caller only says that. */
function connect(path: string): ClickHouseClient {
  try {
    // chDB implements the contract of @clickhouse/client-common, of which the client carries a copy of
    // its own: the same interface declared twice, which TypeScript tells apart by a private field.
    const connection: unknown = createChdbConnection({ path });
    return createClient({ connection: connection as ClientConnection });
  } catch (error) {
    throw new StartError(
      `The database in ${path} cannot be opened; the reason is printed above. If another process has it open, stop that one or choose another --data-dir.`,
      { cause: error },
    );
  }
}
