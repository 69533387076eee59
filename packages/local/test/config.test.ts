import { resolve } from "node:path";
import { expect, test } from "vitest";
import { type Environment, help, parseCommand } from "../src/config.js";
import { ConfigError } from "../src/start-error.js";

const linux: Environment = { env: {}, platform: "linux", homeDir: "/home/ada" };

test("without arguments it serves on loopback and keeps traces in the user's data directory", () => {
  expect(parseCommand([], linux)).toEqual({
    kind: "serve",
    config: {
      host: "127.0.0.1",
      port: 8000,
      dataDir: "/home/ada/.local/share/agentops-local",
      sample: false,
    },
  });
});

test.each([
  [{ ...linux, env: { XDG_DATA_HOME: "/data" } }, "/data/agentops-local"],
  [
    { ...linux, platform: "darwin" as const },
    "/home/ada/Library/Application Support/agentops-local",
  ],
  [{ ...linux, env: { AGENTOPS_LOCAL_DATA_DIR: "/srv/traces" } }, "/srv/traces"],
])("the data directory follows the system and the environment (%#)", (environment, dataDir) => {
  expect(parseCommand([], environment)).toMatchObject({ config: { dataDir } });
});

test("a flag goes before the environment", () => {
  const env = { AGENTOPS_LOCAL_PORT: "9000", AGENTOPS_LOCAL_HOST: "0.0.0.0" };
  expect(parseCommand(["--port", "0", "--sample"], { ...linux, env })).toMatchObject({
    config: { port: 0, host: "0.0.0.0", sample: true },
  });
});

test("doctor looks at what the server would use; --json is for it alone", () => {
  const { config } = parseCommand(["--port", "9000"], linux) as { config: object };
  const args = ["doctor", "--port", "9000"];
  expect(parseCommand(args, linux)).toEqual({ kind: "doctor", config, json: false });
  expect(parseCommand([...args, "--json"], linux)).toMatchObject({ kind: "doctor", json: true });
  expect(() => parseCommand(["--json"], linux)).toThrow("--json goes with doctor");
});

test("export takes what to look for, import a file; their options are for them alone", () => {
  const traceId = "A".repeat(32);
  const query = ["--project", "shop", "--since", "2026-01-02", "--until", "2026-01-03T04:05Z"];
  expect(parseCommand(["export", ...query, "--trace-id", traceId], linux)).toMatchObject({
    kind: "export",
    query: {
      project: "shop",
      traceIds: [traceId.toLowerCase()],
      fromUnixNano: 1_767_312_000_000_000_000n,
      untilUnixNano: 1_767_413_100_000_000_000n,
    },
    config: { dataDir: "/home/ada/.local/share/agentops-local" },
  });
  expect(parseCommand(["import", "-", "--project", "shop"], linux)).toMatchObject({
    kind: "import",
    options: { file: "-", project: "shop" },
  });
  expect(() => parseCommand(["--project", "shop"], linux)).toThrow("goes with export and import");
  expect(() => parseCommand(["import", "-", "--since", "1h"], linux)).toThrow("goes with export");
});

test("a date is its whole day, in UTC", () => {
  const args = ["export", "--since", "2026-01-31", "--until", "2026-01-31"];
  expect(parseCommand(args, linux)).toMatchObject({
    query: {
      fromUnixNano: 1_769_817_600_000_000_000n,
      untilUnixNano: 1_769_903_999_999_999_999n,
    },
  });
});

test("an age before 1970 is all there is", () => {
  expect(parseCommand(["export", "--since", "20000w"], linux)).toMatchObject({
    query: { fromUnixNano: 0n },
  });
});

test.each(["12h", "12h ago", "720m"])("%s counts from now", (since) => {
  const { query } = parseCommand(["export", "--since", since], linux) as {
    query: { fromUnixNano: bigint };
  };
  const agoMs = Date.now() - Number(query.fromUnixNano / 1_000_000n);
  expect(agoMs - 12 * 3_600_000).toBeGreaterThanOrEqual(0);
  expect(agoMs - 12 * 3_600_000).toBeLessThan(1000);
});

test.each([
  ["90m", 1.5],
  ["12h", 12],
  ["30d", 720],
  ["8w", 1344],
])("traces are kept for %s", (retention, hours) => {
  const expected = { config: { retentionMs: hours * 3_600_000 } };
  expect(parseCommand(["--retention", retention], linux)).toMatchObject(expected);
  const env = { AGENTOPS_LOCAL_RETENTION: retention };
  expect(parseCommand([], { ...linux, env })).toMatchObject(expected);
});

test("an empty environment variable counts as unset", () => {
  const names = ["PORT", "HOST", "DATA_DIR", "RETENTION"].map((name) => `AGENTOPS_LOCAL_${name}`);
  const env = Object.fromEntries([...names, "XDG_DATA_HOME"].map((name) => [name, ""]));
  expect(parseCommand([], { ...linux, env })).toEqual(parseCommand([], linux));
});

test("--help and --version go before everything else", () => {
  expect(parseCommand(["--help", "--port", "x"], linux)).toEqual({ kind: "help" });
  expect(parseCommand(["--version"], linux)).toEqual({ kind: "version" });
  for (const flag of ["--port", "--host", "--data-dir", "--retention", "--sample", "--trace-id"])
    expect(help).toContain(flag);
});

test.each([
  [
    ["--prot", "1"],
    /--prot.*Valid options: --port, --host, --data-dir, .*--sample, --json, .*--help, --version/,
  ],
  [["serve"], /No such command: serve\. Valid: .*projects list/],
  [["--port", "80 80"], /--port \(AGENTOPS_LOCAL_PORT\) must be a port number/],
  [["--port", ""], /must be a port number/],
  [
    ["--port", "-1"],
    /^Option '--port' argument must not begin with a dash\. Valid options: --port/,
  ],
  [["--port", "0x50"], /must be a port number/],
  [["--host", ""], /--host \(AGENTOPS_LOCAL_HOST\) must be an address or host name/],
  [["--port", "65536"], /must be a port number, 0 to 65535/],
  [
    ["--retention", "0d"],
    /--retention \(AGENTOPS_LOCAL_RETENTION\) must be a number of minutes, hours/,
  ],
  [["--retention", "30"], /must be a number of minutes, hours/],
  [
    ["export", "--since", "yesterday"],
    /--since must be how long ago \(90m, 12h, 30d, 8w\) or a date/,
  ],
  [["export", "--since", "2026-02-01", "--until", "2026-01-31"], /swap the two/],
  [["export", "--trace-id", "abc"], /--trace-id must be the 32 hex digits/],
  [["import"], /^import is called as: import <file>\.$/],
  [["export", "traces.jsonl"], /^export is called as: export\.$/],
  [["projects"], /^projects is called as: projects list, projects create <name>, /],
  [["projects", "create"], /^projects is called as: projects list, projects create <name>, /],
  [["--data-dir", ""], /--data-dir \(AGENTOPS_LOCAL_DATA_DIR\) must be a path/],
])("%j is refused with what would be right", (args, message) => {
  expect(() => parseCommand(args, linux)).toThrow(ConfigError);
  expect(() => parseCommand(args, linux)).toThrow(message);
});

test.each([
  [["projects", "list"], { kind: "list" }],
  [["projects", "create", "web shop"], { kind: "create", name: "web shop" }],
  [["projects", "rotate-key", "web shop"], { kind: "rotate-key", project: "web shop" }],
])("%j is a command, and takes the data directory", (words, action) => {
  const command = parseCommand([...words, "--data-dir", "/srv"], linux);
  expect(command).toMatchObject({ kind: "projects", action, config: { dataDir: "/srv" } });
});

test.each([["serve"], ["projects"], ["projects", "create"], ["projects", "list", "all"]])(
  "%s is no command, and the refusal names those there are",
  (...words) => {
    expect(() => parseCommand(words, linux)).toThrow(ConfigError);
    expect(() => parseCommand(words, linux)).toThrow("projects rotate-key <id or name>");
  },
);

test.each([
  [["--forward", "cloud"], "https://api.agentops.ai", "https://otlp.agentops.ai"],
  [["--forward", "http://10.0.0.7:8000/"], "http://10.0.0.7:8000", "http://10.0.0.7:8000"],
  [
    ["--forward", "http://10.0.0.7:8000", "--forward-exporter", "http://10.0.0.7:4318"],
    "http://10.0.0.7:8000",
    "http://10.0.0.7:4318",
  ],
])("%j forwards to an API and an exporter", (flags, api, exporter) => {
  expect(parseCommand(flags, linux)).toMatchObject({ config: { forward: { api, exporter } } });
});

test.each(["clouds", "ftp://example.com", "https://user@example.com", "https://example.com?key=1"])(
  "%s is nowhere to forward to",
  (url) => {
    expect(() => parseCommand(["--forward", url], linux)).toThrow("--forward");
  },
);

test.each([
  [["--forward", "http://127.0.0.1:8000"], /^--forward leads to this server itself/],
  [["--forward", "http://localhost:80", "--port", "80"], /leads to this server itself/],
  [["--forward", "http://[::1]:9000", "--host", "::", "--port", "9000"], /leads to this server/],
  [["--forward", "cloud", "--forward-exporter", "http://localhost:8000"], /leads to this server/],
  [["--forward-exporter", "http://10.0.0.7:4318"], /^--forward-exporter goes with --forward/],
])("%j goes in a circle or nowhere, and is refused", (args, message) => {
  expect(() => parseCommand(args, linux)).toThrow(ConfigError);
  expect(() => parseCommand(args, linux)).toThrow(message);
});

test("an IPv6 address may have brackets, and a folder be relative", () => {
  expect(parseCommand(["--host", "[::1]", "--data-dir", "traces"], linux)).toMatchObject({
    config: { host: "::1", dataDir: resolve("traces") },
  });
});

test("a mistake is named once", () => {
  const env = { CLICKHOUSE_URL: "foo" };
  expect(() => parseCommand([], { ...linux, env })).toThrow(/^CLICKHOUSE_URL must be [^\n]*$/);
});

test("a ClickHouse server is named by ClickHouse's own variables", () => {
  const env = { CLICKHOUSE_URL: "http://ch:8123" };
  const server = { url: "http://ch:8123", username: "default", password: "", database: "agentops" };
  expect(parseCommand([], { ...linux, env })).toMatchObject({ config: { clickHouse: server } });

  const others = { USER: "ada", PASSWORD: "s3cret", DATABASE: "traces", CLUSTER: "east" };
  const named = Object.entries(others).map(([name, value]) => [`CLICKHOUSE_${name}`, value]);
  expect(
    parseCommand(["projects", "list"], { ...linux, env: { ...env, ...Object.fromEntries(named) } }),
  ).toMatchObject({
    config: {
      clickHouse: { username: "ada", password: "s3cret", database: "traces", cluster: "east" },
    },
  });
});

test.each([
  [{ CLICKHOUSE_URL: "http://ada:s3cret@ch:8123" }, /CLICKHOUSE_URL must be an http\(s\) URL/],
  [{ CLICKHOUSE_URL: "clickhouse:9000" }, /CLICKHOUSE_URL must be an http\(s\) URL/],
  [{ CLICKHOUSE_DATABASE: "a; DROP" }, /CLICKHOUSE_DATABASE must be made of letters/],
  [{ CLICKHOUSE_CLUSTER: "it's" }, /CLICKHOUSE_CLUSTER must be made of letters/],
  [{ AGENTOPS_LOCAL_JWT_SECRET: "s3cret" }, /AGENTOPS_LOCAL_JWT_SECRET must have 32 characters/],
])("a mistake in the environment is named, without the value: %o", (variables, message) => {
  const env = { CLICKHOUSE_URL: "http://ch:8123", ...variables };
  const parse = () => parseCommand([], { ...linux, env });
  expect(parse).toThrow(message);
  expect(parse).not.toThrow(/s3cret/);
});

test("AgentOps' own database is read as its projects and keys are named", () => {
  const [id, key] = [
    "11111111-1111-4111-8111-111111111111",
    "22222222-2222-4222-8222-222222222222",
  ];
  const env = { CLICKHOUSE_URL: "http://ch:8123", AGENTOPS_LOCAL_PROJECTS: `${id}=${key}` };
  expect(parseCommand(["--read-only"], { ...linux, env })).toMatchObject({
    config: {
      clickHouse: { database: "otel_2", readOnly: { projects: [{ id, apiKey: key }] } },
    },
  });
});

test.each([
  [["--read-only"], {}, /say where in CLICKHOUSE_URL/],
  [["--read-only", "--retention", "1d"], { CLICKHOUSE_URL: "http://ch" }, /changes nothing/],
  [
    ["projects", "create", "new", "--read-only"],
    { CLICKHOUSE_URL: "http://ch" },
    /changes nothing/,
  ],
  [
    ["--read-only"],
    { CLICKHOUSE_URL: "http://ch", AGENTOPS_LOCAL_PROJECTS: "shop=key" },
    /AGENTOPS_LOCAL_PROJECTS must be pairs/,
  ],
])("what does not go with --read-only is said: %j %j", (args, env, message) => {
  expect(() => parseCommand(args, { ...linux, env })).toThrow(message);
});
