import type { Database } from "./database.js";
import { storedIn } from "./layout.js";

/** Whose traces: every read and every write belongs to one project. */
export interface Project {
  /** UUID, lower case. */
  readonly id: string;
  readonly name: string;
  readonly environment: string;
  /** UUID, lower case. */
  readonly apiKey: string;
}

/** The project of a self-hosted AgentOps' seed data, so that its examples and keys work here as they are. */
export const defaultProject: Project = {
  id: "0e2bf9df-8980-4afc-9041-2e116dc7ad0e",
  name: "default",
  environment: "development",
  apiKey: "6b7a1469-bdcb-4d47-85ba-c4824bc8486e",
};

const selectProjects = "SELECT id, name, environment, api_key AS apiKey FROM projects";

export async function projectByApiKey(
  database: Database,
  apiKey: string,
): Promise<Project | undefined> {
  const rows = await database.read<Project>(
    `${selectProjects} WHERE api_key = {apiKey:String} LIMIT 1`,
    { apiKey },
  );
  return rows[0];
}

export async function projectById(database: Database, id: string): Promise<Project | undefined> {
  const rows = await database.read<Project>(`${selectProjects} WHERE id = {id:String} LIMIT 1`, {
    id,
  });
  return rows[0];
}

/** By age. Processes that start at the same instant may each add the default one. */
export async function listProjects(database: Database): Promise<Project[]> {
  return await database.read<Project>(`${selectProjects} ORDER BY created_at, id LIMIT 1 BY id`);
}

/** From here on the old key opens nothing. */
export async function setApiKey(database: Database, id: string, apiKey: string): Promise<void> {
  await database.write(
    `ALTER TABLE ${storedIn("projects", database.layout)} UPDATE api_key = {apiKey:String} WHERE id = {id:String} SETTINGS mutations_sync = 2`,
    { id, apiKey },
  );
}

export async function addProject(database: Database, project: Project): Promise<void> {
  await database.write(
    "INSERT INTO projects (id, name, environment, api_key) SELECT {id:String}, {name:String}, {environment:String}, {apiKey:String}",
    { ...project },
  );
}
