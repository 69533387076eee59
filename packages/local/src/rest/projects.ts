import { randomUUID } from "node:crypto";
import type { Context, Hono } from "hono";
import { z } from "zod";
import type { Project } from "../store/index.js";
import { PLAN } from "../tokens.js";
import { dashboardProjectId, isAdmin } from "./credentials.js";
import { RestError } from "./errors.js";
import { readJsonBody } from "./json-body.js";
import { isKeyHash } from "./key-exchange.js";
import { addRoute, addRoutes, type RestOptions } from "./routes.js";

/**
 * Projects, at the paths and in the shapes of AgentOps' OpsBoard. A project's token sees that project;
 * to see, add and change them all takes an admin token, which `agentops-local projects` makes.
 */
export function addProjectRoutes(app: Hono, { store, tokens }: RestOptions): void {
  addRoutes(app, "/opsboard/projects", {
    async GET(context) {
      const projects = await visibleProjects(context);
      const counts = await store.spanCounts(projects.map(({ id }) => id));
      return projects.map((project) => ({
        ...projectView(project),
        span_count: counts.get(project.id)?.spanCount ?? 0,
        trace_count: counts.get(project.id)?.traceCount ?? 0,
      }));
    },

    async POST(context) {
      await requireAdmin(context);
      const { name } = await readJsonBody(context.req.raw, newProject);
      const project = { id: randomUUID(), name, environment: "development", apiKey: randomUUID() };
      await store.projects.add(project);
      return projectView(project);
    },
  });

  addRoute(app, "GET", "/opsboard/projects/:projectId", async (context) => {
    return projectView(projectInPath(context, await visibleProjects(context)));
  });

  addRoute(app, "POST", "/opsboard/projects/:projectId/regenerate-key", async (context) => {
    await requireAdmin(context);
    const project = projectInPath(context, await store.projects.list());
    if (isKeyHash(project.apiKey)) throw new RestError(409, { detail: keyOfCloud });
    const apiKey = randomUUID();
    await store.projects.setApiKey(project.id, apiKey);
    return projectView({ ...project, apiKey });
  });

  async function visibleProjects(context: Context): Promise<Project[]> {
    if (await isAdmin(context, tokens)) return await store.projects.list();
    const project = await store.projects.byId(await dashboardProjectId(context, tokens));
    return project ? [project] : [];
  }

  async function requireAdmin(context: Context): Promise<void> {
    if (await isAdmin(context, tokens)) return;
    throw new RestError(403, { detail: "Use `agentops-local projects` on the server's machine." });
  }
}

const keyOfCloud =
  "This project is the cloud's, and so is its key: change it there. The new one opens this project too.";

function projectInPath(context: Context, projects: readonly Project[]): Project {
  const id = context.req.param("projectId")?.toLowerCase();
  const project = projects.find((project) => project.id === id);
  if (!project) throw new RestError(404, { detail: "Project not found" });
  return project;
}

export const MAX_NAME_LENGTH = 200;

/** One line: lists print it. */
export const projectName = z
  .string()
  .trim()
  .min(1)
  .max(MAX_NAME_LENGTH)
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]*$/u);

const newProject = z.object({ name: projectName });

/** One user, who owns all there is. */
const org = {
  id: "00000000-0000-0000-0000-000000000000",
  name: "local",
  prem_status: PLAN,
  current_user_role: "owner",
};

function projectView({ id, name, environment, apiKey }: Project) {
  return { id, org_id: org.id, name, environment, api_key: apiKey, org };
}
