import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { createRestApi } from "./rest/api.js";
import { StartError } from "./start-error.js";
import { openStore } from "./store/index.js";
import { createTokens, openSecret } from "./tokens.js";
import { version } from "./version.js";

/** What `agentops-local projects` is asked to do. */
export type ProjectsAction =
  | { readonly kind: "list" }
  | { readonly kind: "create"; readonly name: string }
  | { readonly kind: "rotate-key"; readonly project: string };

/** Where a running server tells this machine's other programs how to reach it. */
export const SERVER_URL_FILE = "server-url";

/**
 * Does it, through the REST API, and returns what to print. One process at a time can open the store: a
 * server that runs is asked over HTTP, and where none runs the same routes are called in this process.
 *
 * @throws {StartError}
 */
export async function runProjects(action: ProjectsAction, dataDir: string): Promise<string> {
  const api = (await connect(dataDir)) ?? (await openApi(dataDir));
  try {
    return formatProjects(await perform(api, action));
  } finally {
    await api.close();
  }
}

interface AdminApi {
  request(method: "GET" | "POST", path: string, body?: object): Promise<unknown>;
  close(): Promise<void>;
}

const projectSchema = z.object({ id: z.string(), name: z.string(), api_key: z.string() });
type ListedProject = z.output<typeof projectSchema>;

async function perform(api: AdminApi, action: ProjectsAction): Promise<ListedProject[]> {
  switch (action.kind) {
    case "list":
      return await listed(api);
    case "create":
      return [
        projectSchema.parse(await api.request("POST", "/opsboard/projects", { name: action.name })),
      ];
    case "rotate-key": {
      const { id } = findProject(await listed(api), action.project);
      const path = `/opsboard/projects/${id}/regenerate-key`;
      return [projectSchema.parse(await api.request("POST", path))];
    }
  }
}

async function listed(api: AdminApi): Promise<ListedProject[]> {
  return z.array(projectSchema).parse(await api.request("GET", "/opsboard/projects"));
}

function findProject(projects: readonly ListedProject[], text: string): ListedProject {
  const found = projects.filter(({ id, name }) => id === text.toLowerCase() || name === text);
  const [project] = found;
  if (project && found.length === 1) return project;
  throw new StartError(
    project
      ? `${found.length} projects are called that; give the id instead.`
      : "No project has that id or name. See: agentops-local projects list",
  );
}

function formatProjects(projects: readonly ListedProject[]): string {
  const width = Math.max(...projects.map(({ name }) => name.length));
  return projects
    .map(({ id, name, api_key }) => `${name.padEnd(width)}  ${id}  ${api_key}\n`)
    .join("");
}

/** Undefined if no server runs on that folder. */
async function connect(dataDir: string): Promise<AdminApi | undefined> {
  const url = await readFile(join(dataDir, SERVER_URL_FILE), "utf8").catch(() => undefined);
  if (!url) return undefined;
  const api = adminApi(await tokensOf(dataDir), {
    fetch: (request) => fetch(request),
    url,
    close: async () => {},
  });
  // A killed server leaves its file behind.
  return await api.request("GET", "/opsboard/projects").then(
    () => api,
    () => undefined,
  );
}

async function openApi(dataDir: string): Promise<AdminApi> {
  const store = await openStore(dataDir);
  const tokens = await tokensOf(dataDir);
  const rest = createRestApi({ store, tokens, version, anonymousProjectId: undefined });
  return adminApi(tokens, {
    fetch: async (request) => await rest.fetch(request),
    url: "http://localhost",
    close: () => store.close(),
  });
}

async function tokensOf(dataDir: string) {
  return createTokens(await openSecret(join(dataDir, "jwt-secret")));
}

function adminApi(
  tokens: ReturnType<typeof createTokens>,
  {
    fetch,
    url,
    close,
  }: { fetch: (request: Request) => Promise<Response>; url: string } & Pick<AdminApi, "close">,
): AdminApi {
  return {
    async request(method, path, body) {
      const response = await fetch(
        new Request(url + path, {
          method,
          headers: {
            authorization: `Bearer ${await tokens.issueAdmin()}`,
            "content-type": "application/json",
          },
          ...(body && { body: JSON.stringify(body) }),
        }),
      );
      if (response.ok) return await response.json();
      throw new StartError(`The server answered ${response.status}: ${await response.text()}`);
    },
    close,
  };
}
