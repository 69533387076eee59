/** MCP over HTTP: 64 callers with keys of their own against an API whose every twentieth answer is a fault. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runMixedLoad } from "../packages/mcp/test/load/mixed-load.js";
import { createTenant, openTenantApi } from "../packages/mcp/test/load/tenant-api.js";
import { printTable, rounded } from "./report.js";

const MCP_CLI = fileURLToPath(new URL("../packages/mcp/dist/cli.cjs", import.meta.url));
const CALLERS = 64;

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "1" } },
  strict: false,
});
const minutes = Number(values.minutes);

const tenants = Array.from({ length: CALLERS }, (_, index) => createTenant(index));
await using api = await openTenantApi(tenants);
const child = spawn(process.execPath, [MCP_CLI, "--http", "--port", "0"], {
  env: { AGENTOPS_API_URL: api.url },
  stdio: ["ignore", "ignore", "pipe"],
});
const [line] = await once(child.stderr, "data");
child.stderr.resume();
const { url: mcpUrl } = JSON.parse(String(line));

try {
  const report = await runMixedLoad({
    tenants,
    mcpUrl,
    pid: child.pid ?? 0,
    seconds: minutes * 60,
  });
  const failed = Object.values(report.errors).reduce((sum, count) => sum + count, 0);
  printTable(`${CALLERS} callers for ${minutes} min, 5 % of the API's answers faults`, [
    {
      calls: report.callCount,
      "calls/s": Math.round(report.callCount / minutes / 60),
      faults: api.faultCount,
      "ended with a code": failed,
      wrong: report.wrong.length,
      "of another caller": report.strayCount,
      "median ms": rounded(report.medianMs),
      "p99 ms": rounded(report.p99Ms),
    },
  ]);
  printTable("The codes", [report.errors]);
  console.log(`Resident MB over the run: ${report.rssMb.map(Math.round).join(" ")}`);
  for (const answer of report.wrong.slice(0, 5)) console.log(`Wrong: ${answer.slice(0, 300)}`);
} finally {
  child.kill("SIGTERM");
  await once(child, "exit");
}
