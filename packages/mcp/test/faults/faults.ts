import { setTimeout as delay } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import {
  type Answer,
  type FaultServer,
  openFaultServer,
  routeNotFound,
} from "../api/fault-server.js";
import {
  projectId,
  scriptBearerGeneration,
  scriptPublicGeneration,
  spanDetail,
  staleToken400,
  staleToken401,
  traceId,
  traceNotFound,
} from "../api/scripts.js";

/**
 * How long an answer may take: two seconds, which includes two further tries; as long as the server
 * asked for; or until the deadline of one request or of one call.
 */
export type Bound = "2 s" | "as asked" | "30 s" | "50 s";

/** Something that AgentOps, or whatever stands between, does wrong to one call. */
export interface Fault {
  /** As the page calls it. */
  readonly what: string;
  readonly tool: "list_traces" | "trace_detail";
  readonly args?: Readonly<Record<string, string>>;
  readonly within: Bound;
  /** Makes a healthy API faulty. `other` is a second origin. */
  script(api: FaultServer, other: FaultServer): void;
  /** Where the call goes instead of to the API. */
  url?(): Promise<string>;
}

const EXCHANGE = "POST /v3/auth/token";
const LIST = "GET /v4/traces";
const TRACE = "GET /v4/traces/*";
const SPAN = "GET /public/v1/spans/*";

const goodList: Answer = { body: { traces: [], total: 0 } };
const silent: Answer = { delayMs: 60_000 };

function inAMoment(): string {
  return new Date(Date.now() + 2_000).toUTCString();
}

/** The list answers so; the last answer repeats. */
function list(what: string, within: Bound, ...answers: readonly Answer[]): Fault {
  return { what, within, tool: "list_traces", script: (api) => api.on(LIST, ...answers) };
}

function exchange(what: string, within: Bound, ...answers: readonly Answer[]): Fault {
  return { what, within, tool: "list_traces", script: (api) => api.on(EXCHANGE, ...answers) };
}

function trace(what: string, within: Bound, ...answers: readonly Answer[]): Fault {
  return { what, within, tool: "trace_detail", script: (api) => api.on(TRACE, ...answers) };
}

const SPANS = 5;

/** What the route of a span answers when nothing is wrong with it. */
function readSpan({ path }: { readonly path: string }): Answer {
  return { body: spanDetail(Number(path.split("-").at(-1))) };
}

/** A trace that is read span by span, where the first reads of a span are answered so. */
function fanOut(what: string, within: Bound, ...answers: readonly Answer[]): Fault {
  return {
    what,
    within,
    tool: "trace_detail",
    script(api) {
      scriptPublicGeneration(api, SPANS);
      api.on(TRACE, routeNotFound);
      api.on(SPAN, ...answers, readSpan);
    },
  };
}

function redirect(location: string): Answer {
  return { status: 302, headers: { location } };
}

const statuses: readonly Fault[] = [
  exchange("401 to the key", "2 s", { status: 401 }),
  list("401 once: the token has run out", "2 s", staleToken401, goodList),
  list("400 `Invalid Bearer token` once", "2 s", staleToken400, goodList),
  list("401 to every token", "2 s", staleToken401),
  fanOut("401 in the middle of a trace that is read span by span", "2 s", staleToken401),
  list("403", "2 s", { status: 403 }),
  {
    what: "404 to every route",
    tool: "list_traces",
    within: "2 s",
    script: (api) => {
      for (const route of [EXCHANGE, LIST]) api.on(route, { status: 404 });
    },
  },
  trace("404 `Trace not found`", "2 s", traceNotFound),
  list("409", "2 s", { status: 409 }),
  list("413", "2 s", { status: 413 }),
  list("422", "2 s", { status: 422 }),
  list("429 once, `Retry-After: 1`", "as asked", retryAfter("1"), goodList),
  {
    ...list("429 once, `Retry-After` a date two seconds ahead", "as asked"),
    script: (api) => api.on(LIST, () => retryAfter(inAMoment()), goodList),
  },
  list("429, `Retry-After: 99999999999`", "2 s", retryAfter("99999999999")),
  list("429 again and again", "2 s", { status: 429 }),
  list("500", "2 s", { status: 500 }),
  fanOut("500 to one span of five", "2 s", { status: 500 }),
  list("502 once", "2 s", { status: 502 }, goodList),
  list("502 again and again", "2 s", { status: 502 }),
  list("503 again and again", "2 s", { status: 503 }),
];

function retryAfter(value: string): Answer {
  return { status: 429, headers: { "retry-after": value } };
}

export async function* oneByteASecond(): AsyncGenerator<string> {
  yield "[";
  for (;;) {
    await delay(1_000, undefined, { ref: false });
    yield " ";
  }
}

const connections: readonly Fault[] = [
  {
    ...list("A name that does not resolve", "2 s"),
    // Too long a label to be a name, so that no resolver is asked.
    url: async () => `http://${"x".repeat(64)}.invalid`,
  },
  {
    ...list("Connection refused", "2 s"),
    async url() {
      await using closed = await openFaultServer();
      return closed.url;
    },
  },
  list("Reset before the answer, once", "2 s", { reset: "at once" }, goodList),
  list("Reset before every answer", "2 s", { reset: "at once" }),
  list("Reset in the middle of every body", "2 s", { reset: "in the body", body: "x".repeat(999) }),
  exchange("Silence instead of a token", "30 s", silent),
  list("Silence", "30 s", silent),
  list("One byte a second", "30 s", { stream: oneByteASecond }),
  fanOut("Silence about one span of five", "30 s", silent),
  list("503 late, again and again", "50 s", { status: 503, delayMs: 250 }),
];

const bodies: readonly Fault[] = [
  list("HTML instead of JSON", "2 s", { body: "<html>503</html>" }),
  list("Half of the JSON", "2 s", { body: '{"traces": [{"trace_id": "1' }),
  list("An empty body", "2 s", { body: "" }),
  {
    ...trace("JSON of another shape, in a view that reads it", "2 s", { body: { spans: "none" } }),
    args: { view: "tree" },
  },
  exchange("A token that is none", "2 s", { body: { token: "two\nlines" } }),
  list("Bytes that are not UTF-8", "2 s", { body: Buffer.from([0x5b, 0xff, 0x5d]) }),
  list("gzip that is not", "2 s", { body: "[]", headers: { "content-encoding": "gzip" } }),
];

const redirects: readonly Fault[] = [
  {
    ...list("A redirect to another origin that has the answer", "2 s"),
    script(api, other) {
      api.on(LIST, redirect(`${other.url}/list`));
      other.on("GET /list", goodList);
    },
  },
  list("A redirect to itself", "2 s", redirect("/v4/traces")),
  {
    ...list("A redirect loop between two origins", "2 s"),
    script(api, other) {
      api.on(LIST, redirect(`${other.url}/list`));
      other.on("GET /list", redirect(`${api.url}/v4/traces`));
    },
  },
  list("A redirect to another protocol", "2 s", redirect("file:///etc/passwd")),
  {
    ...exchange("A redirect of the key to another origin", "2 s"),
    script: (api, other) => api.on(EXCHANGE, redirect(`${other.url}/v3/auth/token`)),
  },
];

export const faults = [...statuses, ...connections, ...bodies, ...redirects];

const MIB = 1024 * 1024;

async function* endless(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("[");
  const blanks = Buffer.alloc(MIB, " ");
  for (;;) yield blanks;
}

/** A thousand spans with 100 KB each. */
async function* hugeTrace(): AsyncGenerator<string> {
  const text = "word ".repeat(20_000);
  const span = (index: number) =>
    JSON.stringify({ ...spanDetail(index), span_attributes: { input: { value: text } } });
  yield `{"freeplan_truncated":false,"project_id":"${projectId}","trace_id":"${traceId}","tags":null,"spans":[`;
  yield span(0);
  for (let index = 1; index < 1_000; index += 1) yield `,${span(index)}`;
  yield "]}";
}

/** As many members of 1 MiB each, which gunzip takes for one file: more than any answer may have. */
const gzipBomb = Buffer.concat(Array(300).fill(gzipSync(Buffer.alloc(MIB, " "))));

/** These are read one after the other, because what they may cost is memory. */
export const hugeAnswers: readonly Fault[] = [
  { ...trace("A trace of 100 MB", "30 s"), script: (api) => api.on(TRACE, { stream: hugeTrace }) },
  list("A body without end", "30 s", { stream: endless }),
  {
    ...list("A gzip bomb: 300 kB that unpack to 300 MiB", "30 s"),
    script: (api) => api.on(LIST, { body: gzipBomb, headers: { "content-encoding": "gzip" } }),
  },
];

/** The API that the faults happen to, and a second origin. */
export async function openApis(): Promise<
  AsyncDisposable & { api: FaultServer; other: FaultServer }
> {
  const [api, other] = await Promise.all([openFaultServer(), openFaultServer()]);
  heal(api);
  return {
    api,
    other,
    async [Symbol.asyncDispose]() {
      await Promise.all([api, other].map((server) => server[Symbol.asyncDispose]()));
    },
  };
}

/** What is asked of both generations works again. */
export function heal(api: FaultServer): void {
  scriptBearerGeneration(api);
  api.on(SPAN, readSpan);
}
