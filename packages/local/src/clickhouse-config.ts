import { z } from "zod";
import { httpUrl } from "./http-url.js";
import { defaultProject, type Project } from "./store/index.js";

type Variables = Readonly<Record<string, string | undefined>>;

const clickHouseUrlRule =
  "CLICKHOUSE_URL must be an http(s) URL without credentials, like http://localhost:8123: they go into CLICKHOUSE_USER and CLICKHOUSE_PASSWORD.";

/** They stand in statements that make tables, which take no parameters. */
const nameRule = (variable: string) =>
  `${variable} must be made of letters, digits and underscores.`;

const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const projectsRule =
  "AGENTOPS_LOCAL_PROJECTS must be pairs of a project's id and its API key, both UUIDs: <id>=<key>,<id>=<key>.";

const projectsSchema = z
  .string()
  .toLowerCase()
  .regex(new RegExp(`^${uuid}=${uuid}(,${uuid}=${uuid})*$`), projectsRule)
  .transform((text) => text.split(",").map(projectOf));

function projectOf(pair: string): Project {
  const [id = "", apiKey = ""] = pair.split("=");
  return { id, name: id.slice(0, 8), environment: "production", apiKey };
}

/** A server, and what is in the environment about it. */
export const clickHouseSchema = z.object({
  url: httpUrl(clickHouseUrlRule),
  username: z.string().default("default"),
  password: z.string().default(""),
  database: z.string().regex(/^\w+$/, nameRule("CLICKHOUSE_DATABASE")).default("agentops"),
  cluster: z.string().regex(/^\w+$/, nameRule("CLICKHOUSE_CLUSTER")).optional(),
  readOnly: z.object({ projects: projectsSchema.default([defaultProject]) }).optional(),
});

/** Where AgentOps' collector writes. */
const AGENTOPS_DATABASE = "otel_2";

/** From the environment only: a command line can be read by this machine's other users. */
export function clickHouseOf(env: Variables, isReadOnly: boolean) {
  if (!env.CLICKHOUSE_URL) return undefined;
  return {
    url: env.CLICKHOUSE_URL,
    username: env.CLICKHOUSE_USER || undefined,
    password: env.CLICKHOUSE_PASSWORD || undefined,
    database: env.CLICKHOUSE_DATABASE || (isReadOnly ? AGENTOPS_DATABASE : undefined),
    cluster: env.CLICKHOUSE_CLUSTER || undefined,
    readOnly: isReadOnly ? { projects: env.AGENTOPS_LOCAL_PROJECTS || undefined } : undefined,
  };
}
