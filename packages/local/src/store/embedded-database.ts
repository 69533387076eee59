import {
  type ClickHouseClient,
  type ClickHouseClientConfigOptions,
  createClient,
} from "@clickhouse/client";
import { Session } from "chdb";
import { createChdbConnection } from "chdb/connection";
import { StartError, systemCode } from "../start-error.js";
import { makeDataFolder } from "./data-folder.js";
import type { Database } from "./database.js";
import { DiskFullError, RESERVED_BYTES, requireRoom } from "./disk-space.js";
import { openFileIntake } from "./file-intake.js";
import { statementsOver } from "./statements.js";

type ClientConnection = NonNullable<ClickHouseClientConfigOptions["connection"]>;
/** What a statement has to find free: the engine refuses some for want of room, and waits for it in others. */
const STATEMENT_BYTES = 16 * 1024 * 1024;
/** The engine's code for a statement that needs more than there is. */
const NOT_ENOUGH_SPACE = "243";

/**
 * Opens the embedded engine on the folder `path`, which it creates. What comes in passes through files
 * in `incoming`.
 *
 * @throws {StartError} when there can be no such folder, or the engine does not open it.
 */
export async function openEmbeddedDatabase(path: string, incoming: string): Promise<Database> {
  await makeDataFolder(path);

  const engine = open(path, () => new Session(path, { connectionArgs: engineArguments }));
  const writer = connect(path);
  await writer.command({ query: "CREATE DATABASE IF NOT EXISTS agentops" });
  // The engine runs one statement at a time per connection: reads would wait for the insert in progress. A
  // second reader would not help, because the driver runs one statement with parameters at a time.
  const reader = connect(path);
  const clients = [writer, reader];
  for (const client of clients) {
    await client.command({ query: "USE agentops" });
    await client.command({ query: `SET ${connectionSettings}` });
  }

  const onWriter = statementsOver(writer);

  const database: Database = {
    layout: { kind: "embedded" },
    ...onWriter,
    read: statementsOver(reader).read,

    async write(sql, parameters) {
      await requireRoom(path, STATEMENT_BYTES);
      await onWriter.write(sql, parameters).catch((error) => {
        throw systemCode(error) === NOT_ENOUGH_SPACE ? new DiskFullError({ cause: error }) : error;
      });
    },

    async insert(table, rows) {
      await requireRoom(path, RESERVED_BYTES);
      await onWriter.insert(table, rows);
    },

    openIntake: () => openFileIntake(database, incoming),

    async close() {
      await Promise.all(clients.map((client) => client.close()));
      engine.close();
    },
  };
  return database;
}

const MIB = 1024 * 1024;

/**
 * The engine's own limits are for servers: nine tenths of the memory, and caches that together may take
 * 14 GB. Past the first it refuses what asks for more: an export is sent again, a merge begins again.
 */
const engineLimits = {
  max_server_memory_usage: 2048 * MIB,
  mark_cache_size: 128 * MIB,
  index_mark_cache_size: 64 * MIB,
  text_index_header_cache_size: 128 * MIB,
  text_index_tokens_cache_size: 64 * MIB,
  text_index_postings_cache_size: 128 * MIB,
};

const connectionSettings = [
  // The engine would read with as many threads as there are free GiB: with one, under the limit above.
  "max_threads_min_free_memory_per_thread = 0",
  // It would compile what it runs for the fourth time: that takes 20 to 70 ms, and no read here is faster for it.
  "compile_expressions = 0",
  "compile_aggregate_expressions = 0",
  "compile_sort_description = 0",
].join(", ");

/** Taken by whoever opens the engine first; all other connections of the process share it. */
const engineArguments = Object.entries(engineLimits).map(([name, bytes]) => `--${name}=${bytes}`);

function connect(path: string): ClickHouseClient {
  // chDB implements the contract of @clickhouse/client-common, of which the client carries a copy of
  // its own: the same interface declared twice, which TypeScript tells apart by a private field.
  const connection: unknown = open(path, () => createChdbConnection({ path }));
  return createClient({ connection: connection as ClientConnection });
}

/** The engine prints by itself why it does not open a folder, and to its caller only says that. */
function open<Opened>(path: string, openPath: () => Opened): Opened {
  try {
    return openPath();
  } catch (error) {
    throw new StartError(
      `The database in ${path} cannot be opened; the reason is printed above. If another process has it open, stop that one or choose another --data-dir.`,
      { cause: error },
    );
  }
}
