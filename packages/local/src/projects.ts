import { z } from "zod";
import { type AdminApi, openAdminApi, requireExisting, type ServerLocation } from "./admin-api.js";
import { MAX_NAME_LENGTH, projectName } from "./rest/projects.js";
import { StartError } from "./start-error.js";

/** What `agentops-local projects` is asked to do. */
export type ProjectsAction =
  | { readonly kind: "list" }
  | { readonly kind: "create"; readonly name: string }
  | { readonly kind: "rotate-key"; readonly project: string };

/**
 * Does it, and returns what to print.
 *
 * @throws {StartError}
 */
export async function runProjects(
  action: ProjectsAction,
  location: ServerLocation,
): Promise<string> {
  const open = action.kind === "create" ? openAdminApi : requireExisting;
  const api = await open(location);
  try {
    return formatProjects(await perform(api, action));
  } finally {
    await api.close();
  }
}

/**
 * The project of that id or name.
 *
 * @throws {StartError} where none is, or several are.
 */
export async function projectNamed(api: AdminApi, idOrName: string): Promise<ListedProject> {
  return findProject(await listed(api), idOrName);
}

const projectSchema = z.object({ id: z.string(), name: z.string(), api_key: z.string() });
type ListedProject = z.output<typeof projectSchema>;

async function perform(api: AdminApi, action: ProjectsAction): Promise<ListedProject[]> {
  switch (action.kind) {
    case "list":
      return await listed(api);
    case "create":
      return [await create(api, action.name)];
    case "rotate-key": {
      const { id } = await projectNamed(api, action.project);
      const path = `/opsboard/projects/${id}/regenerate-key`;
      return [projectSchema.parse(await api.request("POST", path))];
    }
  }
}

async function create(api: AdminApi, text: string): Promise<ListedProject> {
  const { data: name } = projectName.safeParse(text);
  if (name === undefined) {
    throw new StartError(
      `A project's name is one line of ${MAX_NAME_LENGTH} characters at most, without control characters.`,
    );
  }
  if ((await listed(api)).some((project) => project.name === name)) {
    throw new StartError(
      "A project of that name is there already. Its key is in agentops-local projects list; for another project choose another name.",
    );
  }
  return projectSchema.parse(await api.request("POST", "/opsboard/projects", { body: { name } }));
}

async function listed(api: AdminApi): Promise<ListedProject[]> {
  return z.array(projectSchema).parse(await api.request("GET", "/opsboard/projects"));
}

function findProject(projects: readonly ListedProject[], text: string): ListedProject {
  const ofId = projects.filter(({ id }) => id === text.toLowerCase());
  const found = ofId.length > 0 ? ofId : projects.filter(({ name }) => name === text);
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
