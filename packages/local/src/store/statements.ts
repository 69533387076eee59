import type { ClickHouseClient } from "@clickhouse/client";
import { systemCode } from "../start-error.js";
import type { Database } from "./database.js";

/** A read asked for more memory than the engine may take, or than others have left of it. */
export class MemoryLimitError extends Error {
  override readonly name = "MemoryLimitError";

  constructor(options?: ErrorOptions) {
    super(
      "This takes more memory than the database may use, or has free now. Ask for less: a shorter time, fewer traces, or a longer text.",
      options,
    );
  }
}

/** The engine's code for it. */
const MEMORY_LIMIT_EXCEEDED = "241";

/** Statements over one client, whichever engine is behind it. */
export function statementsOver(
  client: ClickHouseClient,
): Pick<Database, "read" | "write" | "insert"> {
  return {
    async read<Row>(sql: string, parameters = {}) {
      try {
        const result = await client.query({
          query: sql,
          query_params: parameters,
          format: "JSONEachRow",
        });
        return await result.json<Row>();
      } catch (error) {
        const tookTooMuch = systemCode(error) === MEMORY_LIMIT_EXCEEDED;
        throw tookTooMuch ? new MemoryLimitError({ cause: error }) : error;
      }
    },

    async write(sql, parameters = {}) {
      await client.command({ query: sql, query_params: parameters });
    },

    async insert(table, rows) {
      await client.insert({ table, values: rows, format: "JSONEachRow" });
    },
  };
}
