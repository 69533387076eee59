import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Session } from "chdb";
import { temporaryFolder } from "./harness.js";

export const clickHouseUser = { username: "agentops", password: "only this user's" };

/** The real engine behind ClickHouse's HTTP interface, as far as `@clickhouse/client` speaks it. */
export interface ClickHouseFront {
  readonly url: string;
  /** Statements in the order they came. */
  readonly statements: string[];
  /** What is done to the next requests, one each. */
  readonly faults: Fault[];
  /** Asks the engine itself. */
  ask(sql: string): Record<string, unknown>[];
  close(): Promise<void>;
}

/**
 * `starve`: the engine may take no memory for it. The others come after the engine has done it. `lose`: the
 * connection breaks before the answer. `stall`: no answer comes. `pass`: it names a failure that passes.
 */
export type Fault = "none" | "starve" | "lose" | "stall" | "pass";

/** The engine has no Keeper, so replicas and statements for a whole cluster are left to a real one. */
const withoutKeeper = (sql: string) =>
  sql.replaceAll(/ ON CLUSTER '\w+'/g, "").replaceAll("ENGINE = Replicated", "ENGINE = ");

/** A cluster of one shard, which this process is. */
const config = `<clickhouse>
  <tcp_port>9000</tcp_port>
  <remote_servers><one><shard><replica>
    <host>127.0.0.1</host><port>9000</port><user>default</user>
  </replica></shard></one></remote_servers>
</clickhouse>`;

export async function startClickHouseFront(): Promise<ClickHouseFront> {
  const folder = await temporaryFolder();
  const path = join(folder, "data");
  await mkdir(path);
  await writeFile(join(folder, "config.xml"), config);
  const engine = new Session(path, {
    connectionArgs: [`--config-file=${join(folder, "config.xml")}`],
  });
  const statements: string[] = [];
  const faults: Fault[] = [];

  const server = createServer(async (request, response) => {
    const query = await parse(request, folder);
    statements.push(query.sql);
    const fault = faults.shift();
    if (fault === "starve") query.settings.max_memory_usage = "1";
    const answer = isAllowed(request) ? await run(path, query) : refusal;
    if (fault === "lose") request.socket.destroy();
    else if (fault !== "stall") send(response, fault === "pass" ? passingFailure : answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    statements,
    faults,
    ask(sql) {
      const text = engine.query(sql, "JSONEachRow").trim();
      return text === "" ? [] : text.split("\n").map((line) => JSON.parse(line));
    },
    async close() {
      server.closeAllConnections();
      server.close();
      engine.close();
      await rm(folder, { recursive: true });
    },
  };
}

interface Query {
  readonly sql: string;
  readonly database: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly settings: Record<string, string>;
}

async function parse(request: IncomingMessage, folder: string): Promise<Query> {
  const url = new URL(request.url ?? "/", "http://localhost");
  const {
    query,
    database = "default",
    query_id: _,
    ...others
  } = Object.fromEntries(url.searchParams);
  const body = await buffer(request);
  const form = await multipart(request, body);
  const all = Object.entries({ ...others, ...form });
  const fields = (isOne: (name: string) => boolean) =>
    Object.fromEntries(all.filter(([name]) => isOne(name)));
  return {
    sql: form?.query ?? (await statement(query, body, folder)),
    database,
    parameters: fields((name) => name.startsWith("param_")),
    settings: fields((name) => !/^param_|^query$|^wait_end_of_query$|^role$/.test(name)),
  };
}

async function multipart(request: IncomingMessage, body: Buffer) {
  const type = request.headers["content-type"] ?? "";
  if (!type.startsWith("multipart/form-data")) return undefined;
  const form = await new Response(new Uint8Array(body), {
    headers: { "content-type": type },
  }).formData();
  return Object.fromEntries([...form].map(([name, value]) => [name, String(value)]));
}

/** A statement is the body, or before the body; the engine takes what comes after it from a file. */
async function statement(query: string | undefined, body: Buffer, folder: string) {
  if (query === undefined) return body.toString();
  const path = join(folder, randomUUID());
  await writeFile(path, body);
  return query.replace(/ FORMAT (\w+)\s*$/, ` FROM INFILE '${path}' FORMAT $1`);
}

interface FrontAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

/** In a connection of its own, like every request that names no session. */
async function run(
  path: string,
  { sql, database, parameters, settings }: Query,
): Promise<FrontAnswer> {
  const session = new Session(path);
  try {
    session.query(`USE ${database}`);
    for (const [name, text] of Object.entries({ ...parameters, ...settings })) {
      session.query(`SET ${name} = ${quoted(text)}`);
    }
    const result = await session.queryAsync(withoutKeeper(sql));
    const summary = { read_rows: String(result.rowsRead), written_rows: "0" };
    return {
      status: 200,
      headers: { "x-clickhouse-summary": JSON.stringify(summary) },
      body: result.bytes(),
    };
  } catch (error) {
    return failure(error instanceof Error ? error.message : String(error));
  } finally {
    session.close();
  }
}

const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function failure(message: string): FrontAnswer {
  const [, text = message, code = "1002"] = /(Code: (\d+)\..*)/s.exec(message) ?? [];
  return {
    status: 500,
    headers: { "x-clickhouse-exception-code": code },
    body: Buffer.from(text),
  };
}

const passingFailure = failure("Code: 210. DB::Exception: Broken pipe. (NETWORK_ERROR)");

const refusal: FrontAnswer = {
  ...failure("Code: 516. DB::Exception: agentops: Authentication failed. (AUTHENTICATION_FAILED)"),
  status: 403,
};

function isAllowed({ headers }: IncomingMessage): boolean {
  const { username, password } = clickHouseUser;
  const expected = Buffer.from(`${username}:${password}`).toString("base64");
  return headers.authorization === `Basic ${expected}`;
}

function send(response: ServerResponse, { status, headers, body }: FrontAnswer): void {
  response.writeHead(status, headers);
  response.end(body);
}
