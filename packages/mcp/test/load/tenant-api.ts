import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Answer, respond, routeNotFound } from "../api/fault-server.js";
import { detailOf, jwt, staleToken401 } from "../api/scripts.js";

/** One project with a key of its own. Trace ids are the same in all of them; what is in the traces is not. */
export interface Tenant {
  /** Stands in every answer that this tenant may see, and in no other. */
  readonly marker: string;
  readonly apiKey: string;
  readonly listBody: string;
  readonly detailBody: string;
}

export const MARKERS = /tenant-\d+/g;
const SPANS_PER_TRACE = 12;

export function createTenant(index: number): Tenant {
  const marker = `tenant-${index}`;
  const detail = detailOf(SPANS_PER_TRACE);
  const spans = detail.spans.map((span) => ({ ...span, span_name: `${marker}.step` }));
  const [{ start_time, end_time, duration } = {}] = spans;
  const listed = {
    trace_id: detail.trace_id,
    root_span_name: marker,
    root_service_name: "agentops",
    start_time,
    end_time,
    duration,
    span_count: spans.length,
    error_count: 0,
    tags: [marker],
    total_cost: null,
  };
  return {
    marker,
    apiKey: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
    listBody: JSON.stringify({ traces: [listed], total: 1 }),
    detailBody: JSON.stringify({ ...detail, tags: [marker], spans }),
  };
}

/** An AgentOps with many projects, whose every twentieth answer is a fault. Keeps nothing of what it was asked. */
export interface TenantApi extends AsyncDisposable {
  readonly url: string;
  readonly requestCount: number;
  readonly faultCount: number;
}

const REQUESTS_PER_FAULT = 20;

const faults: readonly ((answer: Answer) => Answer)[] = [
  () => ({ status: 500, body: { error: "Internal Server Error" } }),
  () => ({ status: 502, body: "Bad Gateway" }),
  () => ({ status: 503, body: "Service Unavailable" }),
  () => ({ status: 429, body: "", headers: { "retry-after": "1" } }),
  () => staleToken401,
  () => ({ body: "<html>Please wait</html>" }),
  (answer) => ({ ...answer, reset: "at once" }),
  (answer) => ({ ...answer, reset: "in the body" }),
  (answer) => ({ ...answer, delayMs: 2_000 }),
];

export async function openTenantApi(tenants: readonly Tenant[]): Promise<TenantApi> {
  const byKey = new Map(tenants.map((tenant) => [tenant.apiKey, tenant]));
  let requestCount = 0;
  let faultCount = 0;

  function withFault(answer: Answer): Answer {
    requestCount += 1;
    if (requestCount % REQUESTS_PER_FAULT !== 0) return answer;
    faultCount += 1;
    return faults[faultCount % faults.length]?.(answer) ?? answer;
  }

  const server = createServer(async (incoming, outgoing) => {
    const { url: path = "", headers } = incoming;
    const body = await text(incoming);
    const answer =
      path === "/v3/auth/token"
        ? exchange(byKey.get(JSON.parse(body).api_key))
        : read(path, byKey.get(keyIn(headers.authorization)));
    await respond(outgoing, withFault(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    get requestCount() {
      return requestCount;
    },
    get faultCount() {
      return faultCount;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function exchange(tenant: Tenant | undefined): Answer {
  if (!tenant) return { status: 403, body: { error: "Invalid API key" } };
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return { body: { token: jwt({ exp, api_key: tenant.apiKey }), project_id: tenant.marker } };
}

function keyIn(authorization = ""): string {
  const [, claims = ""] = authorization.split(".");
  return JSON.parse(String(Buffer.from(claims, "base64url")) || "{}").api_key;
}

function read(path: string, tenant: Tenant | undefined): Answer {
  if (!tenant) return { status: 401, body: { detail: "Authorization header missing" } };
  if (/^\/v4\/traces(\?|$)/.test(path)) return { body: tenant.listBody };
  if (/^\/v4\/traces\/[0-9a-f]{32}$/.test(path)) return { body: tenant.detailBody };
  return routeNotFound;
}
