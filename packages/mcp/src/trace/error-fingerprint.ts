import { type AgentopsKind, bareName } from "./agentops-kind.js";
import { type ErrorChain, errorChains } from "./errors.js";
import { groupBy } from "./group-by.js";
import { endUnixMs } from "./trace.js";
import type { SpanTree } from "./tree.js";

/** One failure that keeps coming back, over any number of traces. */
export interface FailureGroup {
  /** 16 hex digits, the same in every trace and process. */
  readonly fingerprint: string;
  readonly identity: FailureIdentity;
  readonly count: number;
  /** How often the error went all the way up to a root. */
  readonly fatalCount: number;
  /** Different messages, as recorded. */
  readonly messageCount: number;
  /** Each trace once. */
  readonly traceIds: readonly string[];
  readonly firstSeenUnixMs: number;
  readonly lastSeenUnixMs: number;
  /** The latest occurrence. */
  readonly example: Occurrence;
}

/** What two failures must share to be the same one. */
export interface FailureIdentity {
  /** Exception class. */
  readonly type: string;
  /** Normalized by {@link normalizeErrorMessage}. */
  readonly message: string;
  /** Of the span in which the error arose. */
  readonly kind: AgentopsKind;
  /** Of the same span, bare and normalized by {@link normalizeSpanName}. */
  readonly name: string;
}

export interface Occurrence {
  readonly traceId: string;
  readonly chain: ErrorChain;
}

/** Messages may carry whole responses; failures that agree this far are taken to be the same. */
export const comparedMessageChars = 500;

export function identifyFailure({ origin, error }: ErrorChain): FailureIdentity {
  return {
    type: error.type,
    message: normalizeErrorMessage(error.message.slice(0, comparedMessageChars)),
    kind: origin.kind,
    name: normalizeSpanName(bareName(origin.span.name)),
  };
}

/** The failures of some traces, most frequent first, then most recent. */
export function groupFailures(trees: readonly SpanTree[]): readonly FailureGroup[] {
  const occurrences = trees.flatMap((tree) =>
    errorChains(tree).map((chain) => ({ traceId: tree.trace.traceId, chain })),
  );
  return [...groupBy(occurrences, ({ chain }) => identityText(chain)).values()]
    .map(groupOf)
    .sort((a, b) => b.count - a.count || b.lastSeenUnixMs - a.lastSeenUnixMs);
}

function groupOf(occurrences: readonly [Occurrence, ...Occurrence[]]): FailureGroup {
  const seen = occurrences.map(seenUnixMs);
  const latest = occurrences.reduce((a, b) => (seenUnixMs(a) > seenUnixMs(b) ? a : b));
  return {
    fingerprint: hash(identityText(latest.chain)),
    identity: identifyFailure(latest.chain),
    count: occurrences.length,
    fatalCount: occurrences.filter(({ chain }) => chain.stoppedAt === undefined).length,
    messageCount: new Set(occurrences.map(({ chain }) => chain.error.message)).size,
    traceIds: [...new Set(occurrences.map(({ traceId }) => traceId))],
    firstSeenUnixMs: seen.reduce((a, b) => Math.min(a, b)),
    lastSeenUnixMs: seenUnixMs(latest),
    example: latest,
  };
}

function seenUnixMs({ chain }: Occurrence): number {
  return endUnixMs(chain.origin.span);
}

function identityText(chain: ErrorChain): string {
  const { type, message, kind, name } = identifyFailure(chain);
  return JSON.stringify([type, message, kind, name]);
}

/** FNV-1a over UTF-16 code units, 64 bits: short, stable, and free of any runtime's crypto. */
function hash(text: string): string {
  let bits = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    bits = BigInt.asUintN(64, (bits ^ BigInt(text.charCodeAt(i))) * 0x100000001b3n);
  }
  return bits.toString(16).padStart(16, "0");
}

/**
 * What differs between two occurrences of one failure, most specific first. Each pattern takes linear
 * time, or is bounded by {@link comparedMessageChars}: messages are untrusted.
 */
const variableParts: readonly (readonly [RegExp, string])[] = [
  [/\s+/g, " "],
  [/[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'`<>()[\]{}]+/gi, "<url>"],
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>"],
  [/\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, "<time>"],
  [/(?<!\w)(?:"[^"]*"|'[^']*'|`[^`]*`)(?!\w)/g, "<text>"],
  [/(?<!\w)(?:[a-z]:)?(?:[\\/][\w.@-]+){2,}[\\/]?/gi, "<path>"],
  [/0x[0-9a-f]+/gi, "<hex>"],
  // Ids go back and forth between digits and letters, as in `call_8fK2mQx9`; words such as `text2sql` do not.
  [/(?<![a-z\d])(?=[a-z\d]*\d[a-z]+\d)[a-z\d]{6,}/gi, "<id>"],
  [/(?<![a-z\d])(?=[a-f]*\d)(?=\d*[a-f])[a-f\d]{7,}(?![a-z\d])/gi, "<id>"],
];

const numbers: typeof variableParts = [[/\d+(?:[.,]\d+)*/g, "<n>"]];

/** Up to three digits that hang on a word are part of it: `gpt-4o`, `claude-sonnet-4-5`, `sha256`. */
const numbersApart: typeof variableParts = [
  [/\d{4,}(?:[.,]\d+)*/g, "<n>"],
  [/(?<![a-z\d])(?<![a-z\d][-_.])\d+(?:[.,]\d+)*/gi, "<n>"],
];

/** The message without ids, numbers, URLs, paths, times and quoted text. Idempotent. */
export function normalizeErrorMessage(message: string): string {
  return withoutParts(message, [...variableParts, ...numbers]);
}

/** The same for a span's name, whose words keep their digits, so that models, tools and agents stay apart. */
export function normalizeSpanName(name: string): string {
  return withoutParts(name, [...variableParts, ...numbersApart]);
}

function withoutParts(original: string, parts: typeof variableParts): string {
  let before: string;
  let text = original.trim();
  do {
    before = text;
    text = parts.reduce((rest, [part, name]) => rest.replace(part, name), before);
    // One replacement can uncover the next. Each takes out a digit, a quote, a slash or a hyphen and
    // puts none in, so this ends.
  } while (text !== before);
  return text;
}
