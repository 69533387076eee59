import { type AgentOps, type AgentOpsOptions, openAgentOps } from "../../src/api/agentops.js";
import type { AgentOpsClient } from "../../src/api/client.js";
import { ApiError } from "../../src/api/errors.js";
import type { Answer, FaultServer } from "./fault-server.js";

/** A well-formed key that means nothing anywhere. */
export const apiKey = "11111111-2222-4333-8444-555555555555";
export const projectId = "0a6f2c1e-3b7d-4c55-9a41-6f0d2b8e7c10";
export const traceId = "148dac266d95c9dc0b5616320b8488c9";

/** A JWT as AgentOps issues them; nobody on our side verifies the signature. */
export function jwt(claims: Readonly<Record<string, unknown>>): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");
  return `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ project_id: projectId, ...claims })}.c2ln`;
}

const inThirtyDays = Math.floor(Date.now() / 1000) + 30 * 24 * 3600;

export const tokenAnswer: Answer = {
  body: { token: jwt({ exp: inThirtyDays }), project_id: projectId, project_prem_status: "free" },
};
export const wantsSession: Answer = { status: 401, body: { detail: "User is not authenticated." } };
export const staleToken401: Answer = { status: 401, body: { detail: "Token has expired" } };
export const staleToken400: Answer = { status: 400, body: { detail: "Invalid Bearer token" } };
export const traceNotFound: Answer = { status: 404, body: { detail: "Trace not found" } };

/** The deployment that lists and shows traces to an API key: the v4 of spring 2025, and agentops-local. */
export function scriptBearerGeneration(server: FaultServer): void {
  server.on("POST /v3/auth/token", tokenAnswer);
  server.on("GET /v4/traces", { body: { traces: [], total: 0 } });
  server.on("GET /v4/traces/*", { body: detailOf(2) });
}

/** The deployment of today: v4 is for signed-in users, and `/public/v1` reads span by span. */
export function scriptPublicGeneration(server: FaultServer, spanCount: number): void {
  server.on("POST /v3/auth/token", tokenAnswer);
  server.on("GET /v4/traces/list/*", wantsSession);
  server.on("GET /v4/traces/detail/*", wantsSession);
  server.on("GET /public/v1/traces/*", { body: summaryOf(spanCount) });
  server.on("GET /public/v1/traces/*/metrics", {
    body: { span_count: spanCount, total_cost: "0.0003879" },
  });
  server.on("GET /public/v1/spans/*", ({ path }) => ({
    body: spanDetail(Number(path.split("-").at(-1))),
  }));
}

export function summaryOf(spanCount: number) {
  const spans = Array.from({ length: spanCount }, (_, index) => spanSummary(index));
  return { trace_id: traceId, project_id: projectId, tags: ["prod"], spans };
}

export function detailOf(spanCount: number) {
  const spans = Array.from({ length: spanCount }, (_, index) => spanDetail(index));
  return { freeplan_truncated: false, project_id: projectId, trace_id: traceId, tags: null, spans };
}

/** Span 0 is the root, and the parent of all others. */
export function spanSummary(index: number) {
  return {
    span_id: `span-${index}`,
    parent_span_id: index === 0 ? "" : "span-0",
    span_name: index === 0 ? "default.session" : `step ${index}`,
    span_kind: "Internal",
    start_time: `2025-08-20T09:15:02.${String(index).padStart(6, "0")}+00:00`,
    end_time: "2025-08-20T09:15:06.991873+00:00",
    duration: 4_887_662_000,
    status_code: "UNSET",
    status_message: "",
  };
}

export function spanDetail(index: number) {
  return {
    ...spanSummary(index),
    service_name: "agentops",
    attributes: {},
    resource_attributes: { service: { name: "agentops" } },
    span_attributes: { agentops: { span: { kind: "task" } }, step: { index: String(index) } },
  };
}

/** An AgentOps whose clients read from one server with the test's key. */
export function openFor(
  server: FaultServer,
  options: Partial<AgentOpsOptions> = {},
): { agentOps: AgentOps; client: (key?: string) => AgentOpsClient } {
  const agentOps = openAgentOps({ userAgent: "test", ...options });
  return {
    agentOps,
    client: (key = apiKey) => agentOps.client({ baseUrl: server.url, apiKey: key }),
  };
}

export const never = new AbortController().signal;

/** The code of the ApiError that a read ends with. */
export async function codeOf(read: Promise<unknown>): Promise<string> {
  const error = await errorOf(read);
  return error.code;
}

export async function errorOf(read: Promise<unknown>): Promise<ApiError> {
  const outcome = await read.catch((error: unknown) => error);
  if (outcome instanceof ApiError) return outcome;
  throw new Error("the read did not fail with an ApiError", { cause: outcome });
}
