import type { ClickHouseClient } from "@clickhouse/client";
import type { Database } from "./database.js";

/** Statements over one client, whichever engine is behind it. */
export function statementsOver(
  client: ClickHouseClient,
): Pick<Database, "read" | "write" | "insert"> {
  return {
    async read<Row>(sql: string, parameters = {}) {
      const result = await client.query({
        query: sql,
        query_params: parameters,
        format: "JSONEachRow",
      });
      return await result.json<Row>();
    },

    async write(sql, parameters = {}) {
      await client.command({ query: sql, query_params: parameters });
    },

    async insert(table, rows) {
      await client.insert({ table, values: rows, format: "JSONEachRow" });
    },
  };
}
