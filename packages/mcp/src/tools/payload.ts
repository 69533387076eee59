import { isRecord, parseJson, textOf } from "../trace/json.js";
import { spellingsOf, spellingsPattern } from "../trace/spellings.js";
import type { Attributes, Span } from "../trace/trace.js";
import { clean } from "./recorded-text.js";

/** A value somewhere in a span, and the path that leads to it. */
export interface Payload {
  readonly path: string;
  readonly text: string;
}

/** Name, index, negative index from the end, or `*` for every item. */
type Step = string;

/** `gen_ai.prompt.0.content`, `$.gen_ai.prompt[-1].content`, `gen_ai.prompt[*].role`. */
export function parsePath(path: string): readonly Step[] {
  return path
    .trim()
    .replace(/^\$\.?/, "")
    .replace(/\[(?:"([^"]*)"|'([^']*)'|([^\]]*))\]/g, (_, a, b, c) => `.${a ?? b ?? c}`)
    .split(".")
    .filter((step) => step !== "");
}

/** Everything a span holds beside its figures: attributes, status message, events, links. */
export function payloadsOf(span: Span): readonly Payload[] {
  const toPayloads = (prefix: string, attributes: Attributes): Payload[] =>
    Object.entries(attributes).map(([key, text]) => ({ path: prefix + key, text }));
  return [
    ...(span.statusMessage ? [{ path: "status_message", text: span.statusMessage }] : []),
    ...toPayloads("", span.attributes),
    ...span.events.flatMap(({ name, attributes }, index) =>
      toPayloads(`events.${index}.`, { name, ...attributes }),
    ),
    ...span.links.flatMap(({ traceId, spanId, attributes }, index) =>
      toPayloads(`links.${index}.`, { trace_id: traceId, span_id: spanId, ...attributes }),
    ),
  ];
}

/**
 * What a path leads to. Attributes are flat (`gen_ai.prompt.0.content`) but their values may be JSON, so
 * a path goes through the key first and on into the value; one that ends early means all below it.
 */
export function selectPayloads(
  payloads: readonly Payload[],
  path: readonly Step[],
): readonly Payload[] {
  const parts = payloads.map((payload) => ({ payload, keys: payload.path.split(".") }));
  const steps = countFromStart(
    parts.map(({ keys }) => keys),
    path,
  );
  return parts.flatMap(({ payload, keys }) => {
    const shared = Math.min(keys.length, steps.length);
    if (!keys.slice(0, shared).every((key, index) => isStep(steps[index], key))) return [];
    return walk(payload, steps.slice(shared));
  });
}

function isStep(step: Step | undefined, key: string): boolean {
  return step === key || (step === "*" && key !== "");
}

/** Replaces a negative step by the index it means among the keys that have come this far. */
function countFromStart(
  allKeys: readonly (readonly string[])[],
  path: readonly Step[],
): readonly Step[] {
  const steps: Step[] = [];
  for (const step of path) {
    const indexes = /^-\d+$/.test(step) ? indexesBelow(allKeys, steps) : [];
    steps.push(indexes.length === 0 ? step : String(Math.max(...indexes) + 1 + Number(step)));
  }
  return steps;
}

function indexesBelow(
  allKeys: readonly (readonly string[])[],
  steps: readonly Step[],
): readonly number[] {
  return allKeys
    .filter((keys) => steps.every((step, index) => isStep(step, keys[index] ?? "")))
    .map((keys) => Number(keys[steps.length]))
    .filter(Number.isInteger);
}

/** Goes on into a JSON value. Values that end before the path does are not what was asked for. */
function walk({ path, text }: Payload, steps: readonly Step[]): readonly Payload[] {
  if (steps.length === 0) return [{ path, text }];
  let found: readonly { path: string; value: unknown }[] = [{ path, value: parseJson(text) }];
  for (const step of steps) {
    found = found.flatMap(({ path: above, value }) =>
      children(value, step).map(([key, child]) => ({ path: `${above}.${key}`, value: child })),
    );
  }
  return found.map(({ path: at, value }) => ({ path: at, text: textOf(value) }));
}

function children(value: unknown, step: Step): readonly (readonly [string, unknown])[] {
  if (!isRecord(value) && !Array.isArray(value)) return [];
  const entries: readonly (readonly [string, unknown])[] = Object.entries(value);
  if (step === "*") return entries;
  const isFromEnd = Array.isArray(value) && /^-\d+$/.test(step);
  const key = isFromEnd ? String(value.length + Number(step)) : step;
  return entries.filter(([name]) => name === key);
}

/** So many paths to choose from, looked for by so many steps: each reads the payloads again. */
const MAX_NEAREST = 3;
const MAX_TRIED_STEPS = 8;

/** Paths that end as this one does, else what is below as much of its beginning as leads somewhere. */
export function nearestPaths(
  payloads: readonly Payload[],
  path: readonly Step[],
): readonly string[] {
  const ends = path.slice(-MAX_TRIED_STEPS);
  for (const from of ends.keys()) {
    const found = payloads.flatMap((payload) => endingIn(payload, ends.slice(from)));
    if (found.length > 0) return firstDistinct(found);
  }
  for (let length = Math.min(path.length - 1, MAX_TRIED_STEPS); length > 0; length -= 1) {
    const found = selectPayloads(payloads, path.slice(0, length)).flatMap(below);
    if (found.length > 0) return firstDistinct(found);
  }
  return [];
}

function endingIn(payload: Payload, steps: readonly Step[]): readonly string[] {
  if (`.${payload.path}`.endsWith(`.${steps.join(".")}`)) return [payload.path];
  return walk(payload, steps).map(({ path }) => path);
}

/** The parts of a JSON value, or the value. */
function below(payload: Payload): readonly string[] {
  const parts = walk(payload, ["*"]);
  return (parts.length > 0 ? parts : [payload]).map(({ path }) => path);
}

function firstDistinct(paths: readonly string[]): readonly string[] {
  return [...new Set(paths)].slice(0, MAX_NEAREST);
}

/** Longest line of a payload: lines are shown whole or not at all. */
export const MAX_LINE_CHARS = 400;

/** Clean text as lines that are short enough to fit an answer one by one. */
export function payloadLines(text: string): readonly string[] {
  return clean(text)
    .split(/\r\n?|[\n\u2028\u2029]/)
    .map((line) => line.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, " ").trimEnd())
    .flatMap((line) => line.match(WRAPPED) ?? [])
    .filter((line) => line.trim() !== "");
}

const WRAPPED = new RegExp(`[\\s\\S]{1,${MAX_LINE_CHARS}}`, "gu");

/** Characters of context on either side of a match. */
const CONTEXT_CHARS = 120;

/** Most matches that are told apart in one payload. */
const MAX_MATCHES = 1_000;

/** Where `wanted` occurs, in any case and spelling: clean, on one line, with what stands around it. */
export function grepPayload({ text }: Payload, wanted: string): readonly string[] {
  const haystack = inOneSpace(clean(text));
  const pattern = spellingsPattern(spellingsOf(wanted).map(inOneSpace));
  const matches: string[] = [];

  let from = 0;
  for (let found = pattern.exec(haystack); found; found = pattern.exec(haystack)) {
    const start = Math.max(from, found.index - CONTEXT_CHARS);
    from = pattern.lastIndex + CONTEXT_CHARS;
    pattern.lastIndex = from;
    const [before, after] = [start > 0 ? "…" : "", from < haystack.length ? "…" : ""];
    matches.push(before + haystack.slice(start, from).trim() + after);
    if (matches.length === MAX_MATCHES) break;
  }
  return matches;
}

function inOneSpace(text: string): string {
  return text.replace(/\s+/g, " ");
}
