import {
  type ClickHouseClient,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
} from "@clickhouse/client";
import { z } from "zod";
import { StartError } from "../start-error.js";
import type { ClickHouseServer, Database } from "./database.js";
import { type Layout, onCluster } from "./layout.js";
import { createServerIntake } from "./server-intake.js";
import { statementsOver } from "./statements.js";

/**
 * Connects to a ClickHouse server over HTTP, and makes the database if there is none of that name and
 * it is not only to be read.
 *
 * @throws {StartError} when it does not answer, or not to this user.
 */
export async function openServerDatabase(
  server: ClickHouseServer,
  insertDeadlineMs?: number,
): Promise<Database> {
  await makeDatabase(server);
  const client = connect(server, server.database);

  return {
    layout: layoutOf(server),
    ...statementsOver(client),
    openIntake: async () => createServerIntake(client, insertDeadlineMs),
    close: () => client.close(),
  };
}

function layoutOf({ database, cluster }: ClickHouseServer): Layout {
  return cluster ? { kind: "cluster", cluster, database } : { kind: "server" };
}

/** On a cluster, tables that a statement names see all shards. */
const clusterSettings = {
  // A trace is whole on one shard, so a subquery finds there what it looks for.
  distributed_product_mode: "local",
  // One trace is read from its shard alone.
  optimize_skip_unused_shards: 1,
  // An insert that is answered is on the disks of the shard, and of most of its replicas.
  distributed_foreground_insert: 1,
  insert_quorum: "auto",
  // Statements that remove old traces ask each shard which of its own are old.
  allow_nondeterministic_mutations: 1,
} as const;

function connect(
  { url, username, password, cluster, readOnly }: ClickHouseServer,
  database: string,
  timeoutMs = REQUEST_TIMEOUT_MS,
): ClickHouseClient {
  return createClient({
    url,
    username,
    password,
    database,
    application: "agentops-local",
    // Its messages quote statements and values, which are trace content.
    log: { level: ClickHouseLogLevel.OFF },
    // A batch asks for more start times than a URL holds.
    use_multipart_params_auto: true,
    request_timeout: timeoutMs,
    clickhouse_settings: {
      // A failure is to be a status, not a text at the end of an answer of 200.
      wait_end_of_query: 1,
      // Servers before 25.8 write them as text.
      output_format_json_quote_64bit_integers: 0,
      // The batches are made here, and an insert that is answered is to be on disk.
      async_insert: 0,
      ...(cluster && clusterSettings),
      // Queries may have settings, and that is all they may set.
      ...(readOnly && { readonly: "2" }),
    },
  });
}

/** As long as an OTLP exporter waits, or longer. */
const REQUEST_TIMEOUT_MS = 60_000;

/** For who waits for the start: a server that takes longer for a short question is no use here. */
const FIRST_ANSWER_MS = 10_000;

/** @throws {StartError} when it does not answer, or not to this user. */
export async function hasTable(server: ClickHouseServer): Promise<boolean> {
  return await ask(server, (client) =>
    isListed(client, "tables WHERE name = 'otel_traces' AND database", server),
  );
}

async function makeDatabase(server: ClickHouseServer): Promise<void> {
  await ask(server, async (client) => {
    if (await isListed(client, "databases WHERE name", server)) return;
    if (server.readOnly) throw new StartError("No such database.");
    await client.command({
      query: `CREATE DATABASE IF NOT EXISTS {name:Identifier}${onCluster(layoutOf(server))}`,
      query_params: { name: server.database },
    });
  });
}

const countSchema = z.tuple([z.object({ count: z.number() })]);

async function isListed(
  client: ClickHouseClient,
  where: string,
  { database }: ClickHouseServer,
): Promise<boolean> {
  const result = await client.query({
    query: `SELECT count() AS count FROM system.${where} = {name:String}`,
    format: "JSONEachRow",
    query_params: { name: database },
  });
  // What is no ClickHouse may answer anything with an empty 200.
  const [{ count }] = countSchema.parse(await result.json());
  return count > 0;
}

/** Any name of a database that is not there is an error, so this asks without one. */
async function ask<Answer>(
  server: ClickHouseServer,
  question: (client: ClickHouseClient) => Promise<Answer>,
): Promise<Answer> {
  const client = connect(server, "default", FIRST_ANSWER_MS);
  try {
    return await question(client);
  } catch (error) {
    throw new StartError(
      `ClickHouse at ${server.url} ${refusal(error)}. Check CLICKHOUSE_URL, CLICKHOUSE_USER, CLICKHOUSE_PASSWORD and CLICKHOUSE_DATABASE.`,
      { cause: error },
    );
  } finally {
    await client.close();
  }
}

/** Without the server's own words, which may be those of any HTTP server. */
function refusal(error: unknown): string {
  if (error instanceof StartError) return `has no database of that name`;
  if (error instanceof ClickHouseError) return `refuses (${error.type ?? error.code})`;
  // The client's own, which has no code.
  if (error instanceof Error && error.message === "Timeout error.") {
    return `does not answer within ${FIRST_ANSWER_MS / 1000} s`;
  }
  const isSystem = error instanceof Error && "code" in error;
  return isSystem ? `does not answer (${error.code})` : "does not answer as ClickHouse does";
}
