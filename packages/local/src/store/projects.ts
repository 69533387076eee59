import type { Database, Parameters } from "./database.js";
import { storedIn } from "./layout.js";
import { refuseWrite } from "./read-only-database.js";

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

/** Who may read and write, and under which key. */
export interface Projects {
  byApiKey(apiKey: string): Promise<Project | undefined>;
  byId(id: string): Promise<Project | undefined>;
  /** By age. */
  list(): Promise<Project[]>;
  add(project: Project): Promise<void>;
  /** From here on the old key opens nothing. */
  setApiKey(id: string, apiKey: string): Promise<void>;
}

/** Those in the database. */
export function storedProjects(database: Database): Projects {
  const select = "SELECT id, name, environment, api_key AS apiKey FROM projects";
  const first = async (condition: string, parameters: Parameters) => {
    const rows = await database.read<Project>(`${select} WHERE ${condition} LIMIT 1`, parameters);
    return rows[0];
  };
  return {
    byApiKey: (apiKey) => first("api_key = {apiKey:String}", { apiKey }),
    byId: (id) => first("id = {id:String}", { id }),

    // Processes that start at the same instant may each add the default one.
    list: () => database.read<Project>(`${select} ORDER BY created_at, id LIMIT 1 BY id`),

    add: (project) =>
      database.write(
        "INSERT INTO projects (id, name, environment, api_key) SELECT {id:String}, {name:String}, {environment:String}, {apiKey:String}",
        { ...project },
      ),

    setApiKey: (id, apiKey) =>
      database.write(
        `ALTER TABLE ${storedIn("projects", database.layout)} UPDATE api_key = {apiKey:String} WHERE id = {id:String} SETTINGS mutations_sync = 2`,
        { id, apiKey },
      ),
  };
}

/** Those that the user named. Their keys never reach a database, which logs what it is sent. */
export function namedProjects(projects: readonly Project[]): Projects {
  return {
    byApiKey: async (apiKey) => projects.find((project) => project.apiKey === apiKey),
    byId: async (id) => projects.find((project) => project.id === id),
    list: async () => [...projects],
    add: refuseWrite,
    setApiKey: refuseWrite,
  };
}
