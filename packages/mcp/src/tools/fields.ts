import * as z from "zod";
import { DEFAULT_MAX_TOKENS, MAX_MAX_TOKENS, MIN_MAX_TOKENS } from "./answer.js";
import { ArgumentError } from "./tool-error.js";

/** Parameters that several tools take, in one wording: definitions are paid for in every session. */

/** Longer than any id or dashboard link. */
const MAX_ID_CHARS = 500;

export const traceId = z
  .string()
  .trim()
  .min(1)
  .max(MAX_ID_CHARS)
  .describe("Trace id, its first 6+ characters, or a dashboard URL.");

export const spanId = z
  .string()
  .trim()
  .min(1)
  .max(MAX_ID_CHARS)
  .describe("Span id or its first characters.");

export const maxTokens = z
  .int()
  .min(MIN_MAX_TOKENS)
  .max(MAX_MAX_TOKENS)
  .default(DEFAULT_MAX_TOKENS)
  .describe("Longest answer.");

/** Pages are numbered by what came before: the server remembers nothing between calls. */
export const cursor = z
  .string()
  .regex(/^\d{1,9}$/, "Give the cursor of the answer before, unchanged")
  .transform(Number)
  .optional()
  .describe("Continues an answer: the value it names.");

/** A moment, or how long ago: `24h`, `-90m`, `7d ago`, `2025-08-20`, `2025-08-20T09:15:00.123456Z`. */
export type Moment = { readonly agoMs: number } | { readonly unixMs: number };

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Traces are listed with whole microseconds, so a finer bound is moved to where it leaves none out. */
const moment = (round: (micros: number) => number) =>
  z.string().transform((text, context): Moment => {
    const parsed = parseMoment(text.trim(), round);
    if (parsed === undefined) {
      context.addIssue("Give a time ago such as 24h or 7d, or an ISO 8601 time");
      return z.NEVER;
    }
    return parsed;
  });

export const since = moment(Math.floor)
  .optional()
  .describe("Started after: 24h, -1h, 7d ago, or ISO time.");
export const until = moment(Math.ceil).optional().describe("Started before, likewise.");

export function unixMsOf(at: Moment, nowUnixMs: number): number {
  return "agoMs" in at ? nowUnixMs - at.agoMs : at.unixMs;
}

export interface Window {
  readonly sinceUnixMs: number | undefined;
  readonly untilUnixMs: number | undefined;
}

/** @throws ArgumentError where it ends before it begins */
export function windowOf(
  { since, until }: { readonly since?: Moment | undefined; readonly until?: Moment | undefined },
  nowUnixMs: number,
): Window {
  const sinceUnixMs = since && unixMsOf(since, nowUnixMs);
  const untilUnixMs = until && unixMsOf(until, nowUnixMs);
  if (sinceUnixMs !== undefined && untilUnixMs !== undefined && untilUnixMs <= sinceUnixMs) {
    throw new ArgumentError("until", "It is not after `since`: swap the two, or give a later one.");
  }
  return { sinceUnixMs, untilUnixMs };
}

const ISO_TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?$/;

const AGO =
  /^-?(\d{1,6}) ?([smhdw])(?:(?<=s)econds?|(?<=m)inutes?|(?<=h)ours?|(?<=d)ays?|(?<=w)eeks?)?(?: ago)?$/;

function parseMoment(text: string, round: (micros: number) => number): Moment | undefined {
  const ago = AGO.exec(text);
  if (ago !== null) {
    // The pattern admits the keys of UNIT_MS alone.
    return { agoMs: Number(ago[1]) * UNIT_MS[ago[2] as keyof typeof UNIT_MS] };
  }
  const [, date = "", minute = "00:00", second = ":00", fraction = "", offset = "Z"] =
    ISO_TIME.exec(text) ?? [];
  if (!isCalendarDay(date)) return undefined;
  const wholeSecondsMs = Date.parse(`${date}T${minute}${second}${offset}`);
  const micros = round(Number(fraction.padEnd(9, "0")) / 1000);
  return Number.isNaN(wholeSecondsMs) ? undefined : { unixMs: wholeSecondsMs + micros / 1000 };
}

/** `Date` takes February 30 for March 2. */
function isCalendarDay(date: string): boolean {
  const unixMs = Date.parse(date);
  return !Number.isNaN(unixMs) && new Date(unixMs).toISOString().startsWith(date);
}

const MAX_TEXT_CHARS = 500;

/** Text that is looked for: upper and lower case alike, nothing in it is special. */
export const searchText = z.string().trim().min(1).max(MAX_TEXT_CHARS);

export const query = searchText
  .optional()
  .describe("Part of the root span's name, a tag or the id.");

export const tags = z
  .array(z.string().min(1).max(MAX_TEXT_CHARS))
  .min(1)
  .max(20)
  .optional()
  .describe("Has all of these tags.");

/** Most traces that one call reads in full, and how many it reads unasked. */
export const MAX_TRACES_READ = 100;

export const maxTraces = z
  .int()
  .min(1)
  .max(MAX_TRACES_READ)
  .default(20)
  .describe("Most traces to read, newest first.");

export const amount = z.number().min(0).max(1e12).optional();
