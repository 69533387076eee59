/** Fills a data folder with spans that the engine makes itself: the fastest way to have ten million. */
import { execFileSync } from "node:child_process";
import { type Database, openDatabase } from "../packages/local/src/store/database.js";
import { defaultProject, openStore } from "../packages/local/src/store/index.js";

export const SPANS_PER_TRACE = 20;
const SPANS_PER_INSERT = 200_000;
const SETTLE_POLL_MS = 500;

/** Adds the spans with the numbers `from` to `to`; their ids follow from their numbers. */
export async function fill(dataDir: string, from: number, to: number): Promise<void> {
  await (await openStore({ dataDir })).close();
  const database = await openDatabase({ dataDir });
  for (let first = from; first < to; first += SPANS_PER_INSERT) {
    const count = Math.min(SPANS_PER_INSERT, to - first);
    await database.write(insertSpans, { first, count, sentences, projectId: defaultProject.id });
  }
  await settle(database);
  await database.close();
}

/** Waits for the merges that the engine has begun, and the disk: a store filled over days has them behind it. */
async function settle(database: Database): Promise<void> {
  const countMerges = "SELECT count() AS merges FROM system.merges WHERE database = 'agentops'";
  while ((await database.read<{ merges: number }>(countMerges))[0]?.merges) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
  }
  execFileSync("sync");
}

export function traceIdOf(span: number): string {
  const run = BigInt(Math.floor(span / SPANS_PER_TRACE));
  return id(run) + id(scattered(run));
}

export function spanIdOf(span: number): string {
  return id(BigInt(span));
}

/** A word that only this span holds. */
export function rareWordOf(span: number): string {
  return `ticket${hex(span)}`;
}

const hex = (value: number) => value.toString(16);

/** Ids are random in the wild; this one to one scattering of numbers is as random to an index. */
const ODD_FACTOR = 0x9e3779b97f4a7c15n;
const scattered = (value: bigint) => ((value + 1n) * ODD_FACTOR) & 0xffff_ffff_ffff_ffffn;

const id = (value: bigint) => scattered(value).toString(16).padStart(16, "0");

const WORD_COUNT = 3000;
const SENTENCE_COUNT = 1000;
const words = Array.from({ length: WORD_COUNT }, (_, index) =>
  scattered(BigInt(index))
    .toString(36)
    .replace(/\d/g, "")
    .slice(0, 3 + (index % 7)),
);
/** Few words are frequent, most are rare. */
const sentences = Array.from({ length: SENTENCE_COUNT }, (_, sentence) =>
  Array.from({ length: 14 }, (_, word) => {
    const random = Number(scattered(BigInt(sentence * 14 + word)) >> 11n) / 2 ** 53;
    return words[Math.floor(WORD_COUNT * random ** 3)];
  }).join(" "),
);

const sentence = (salt: number) =>
  `{sentences:Array(String)}[1 + sipHash64(number, ${salt}) % ${SENTENCE_COUNT}]`;

const scatteredSql = (value: string) => `((${value} + 1) * ${ODD_FACTOR})`;
const idSql = (value: string) => `leftPad(lower(hex(${scatteredSql(value)})), 16, '0')`;

/** Agents' runs, a run every 500 ms: a session, an agent, tools, and model calls with prompts. */
const insertSpans = `
INSERT INTO otel_traces (Timestamp, TraceId, SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ResourceAttributes, SpanAttributes, Duration, StatusCode, StatusMessage)
WITH
  number % ${SPANS_PER_TRACE} AS step,
  intDiv(number, ${SPANS_PER_TRACE}) AS run,
  ${idSql("(number - step)")} AS rootId,
  multiIf(step = 0, 'session', step = 1, 'agent', step % 4 = 2, 'tool', 'llm') AS kind,
  ['gpt-4o-mini', 'gpt-4o', 'claude-sonnet-4', 'gemini-2.5-pro', 'o3-mini'][1 + run % 5] AS model,
  concat(${sentence(1)}, '. ', ${sentence(2)}, '. ', ${sentence(3)}, '. ') AS prompt
SELECT
  toDateTime64('2026-01-01 00:00:00', 9) + toIntervalMillisecond(run * 500 + step * 90) + toIntervalNanosecond(sipHash64(number) % 1000000),
  concat(${idSql("run")}, ${idSql(scatteredSql("run"))}),
  ${idSql("number")},
  if(step = 0, '', rootId),
  multiIf(kind = 'session', 'default.session', kind = 'agent', 'Planner.agent', kind = 'tool', concat(['search', 'fetch', 'python'][1 + run % 3], '.tool'), 'openai.chat.completion'),
  if(kind = 'llm', 'Client', 'Internal'),
  'agentops',
  map('agentops.project.id', {projectId:String}, 'service.name', 'agentops'),
  multiIf(
    kind = 'llm', map(
      'gen_ai.request.model', model, 'gen_ai.system', 'openai',
      'gen_ai.prompt.0.role', 'user', 'gen_ai.prompt.0.content', concat(prompt, 'ticket', lower(replaceRegexpOne(hex(number), '^0+', ''))),
      'gen_ai.completion.0.role', 'assistant', 'gen_ai.completion.0.content', ${sentence(4)},
      'gen_ai.usage.prompt_tokens', toString(100 + number % 900), 'gen_ai.usage.completion_tokens', toString(number % 200),
      'gen_ai.usage.total_cost', toString((number % 1000) / 1e6)),
    kind = 'tool', map('agentops.span.kind', kind, 'tool.parameters', concat('{"query":"', ${sentence(5)}, '"}'), 'tool.result', ${sentence(6)}),
    map('agentops.span.kind', kind, 'agentops.tags', '["bench"]')),
  1000000 * (50 + number % 2000),
  multiIf(sipHash64(number) % 50 = 0, 'Error', step < 2, 'Unset', 'Ok'),
  if(sipHash64(number) % 50 = 0, 'TimeoutError: the request took too long', '')
FROM numbers({first:UInt64}, {count:UInt64})
SETTINGS max_partitions_per_insert_block = 0`;
