import { expect, test } from "vitest";
import { startHttp } from "../http/http-process.js";
import { runMixedLoad } from "./mixed-load.js";
import { createTenant, openTenantApi } from "./tenant-api.js";

/** `npm run bench -- load` does the same for ten minutes. */
const SECONDS = 15;
const CALLERS = 64;
/** Far above what the server needs, far below what it would hold if it kept answers. */
const MAX_RSS_MB = 300;

test("64 callers with different keys get right answers and nobody else's, with every twentieth request failing", async () => {
  const tenants = Array.from({ length: CALLERS }, (_, index) => createTenant(index));
  await using api = await openTenantApi(tenants);
  const { url: mcpUrl, child } = await startHttp({ AGENTOPS_API_URL: api.url });
  const report = await runMixedLoad({ tenants, mcpUrl, pid: child.pid ?? 0, seconds: SECONDS });

  expect(report.wrong).toEqual([]);
  expect(report.strayCount).toBe(0);
  expect(report.callCount).toBeGreaterThan(CALLERS * 10);
  expect(api.faultCount).toBeGreaterThan(CALLERS);
  expect(Object.keys(report.errors).length).toBeGreaterThan(0);
  expect(Math.max(0, ...report.rssMb)).toBeLessThan(MAX_RSS_MB);
}, 60_000);
