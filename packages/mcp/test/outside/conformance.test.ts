import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PRODUCTION_API_URL } from "../../src/api/url-policy.js";
import { createHttpEndpoint } from "../../src/http.js";
import { type HttpServer, listen } from "../../src/listen.js";
import { createServer } from "../../src/server.js";
import { registerConformanceFixture } from "./conformance-fixture.js";
import { fetchFromNpm, node22 } from "./outside.js";

const run = promisify(execFile);
const node = node22();
const suite = fetchFromNpm("@modelcontextprotocol/conformance@0.2.0-alpha.12");
const baseline = fileURLToPath(new URL("conformance-baseline.yml", import.meta.url));

let server: HttpServer;

beforeAll(async () => {
  const log = () => {};
  const endpoint = createHttpEndpoint(
    () =>
      registerConformanceFixture(
        createServer({
          version: "0.0.0",
          isKeyConfigured: false,
          apiUrl: PRODUCTION_API_URL,
          limits: { maxRawTokens: 10_000 },
          connect: () => {
            throw new Error("the suite calls none of our tools");
          },
          onToolCall: log,
        }),
      ),
    { allowedHostnames: ["localhost", "127.0.0.1"], log },
  );
  server = await listen(endpoint, {
    host: "127.0.0.1",
    port: 0,
    log,
    now: performance.now.bind(performance),
    endCalls: log,
  });
});
afterAll(() => server.close());

/** What the official suite says about the server, and whether it is satisfied. */
async function conformance(node: string, suite: string, ...flags: string[]) {
  const program = `${suite}/node_modules/@modelcontextprotocol/conformance/dist/index.js`;
  const url = server.url.replace("127.0.0.1", "localhost");
  const args = [program, "server", "--url", `${url}/mcp`, ...flags];
  return run(node, args, { cwd: suite }).then(
    ({ stdout }) => ({ isSatisfied: true, report: stdout }),
    ({ stdout, stderr }) => ({ isSatisfied: false, report: `${stdout}\n${stderr}` }),
  );
}

describe.skipIf(!node || !suite)("the official conformance suite is satisfied with", () => {
  test("every required scenario of 2026-07-28", async () => {
    const { isSatisfied, report } = await conformance(
      node ?? "",
      suite ?? "",
      "--requirements",
      "2026-07-28",
    );
    expect(isSatisfied, report).toBe(true);
  });

  test("every required scenario of 2025-11-25 that a server without sessions can offer", async () => {
    const flags = ["--requirements", "2025-11-25", "--expected-failures", baseline];
    const { isSatisfied, report } = await conformance(node ?? "", suite ?? "", ...flags);
    expect(isSatisfied, report).toBe(true);
  });
});
