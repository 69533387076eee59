import * as z from "zod";
import { agentopsKind } from "../trace/agentops-kind.js";
import { spanInput, spanOutput } from "../trace/span-io.js";
import type { Span } from "../trace/trace.js";
import { usageOf } from "../trace/usage.js";
import { callArgs, callText, renderAnswer, type Section } from "./answer.js";
import { defineTool } from "./define-tool.js";
import { estimateTokens } from "./estimate-tokens.js";
import { cursor, maxTokens, searchText, spanId, traceId } from "./fields.js";
import {
  grepPayload,
  nearestPaths,
  parsePath,
  payloadLines,
  payloadsOf,
  selectPayloads,
} from "./payload.js";
import { MAX_SPANS, readSpans, readSpansOfTrace, type SpansRead } from "./read-spans.js";
import { excerpt, excerptTokens } from "./recorded-text.js";
import { safeId } from "./span-ids.js";
import { errorText, spanTitle, usageText } from "./span-line.js";
import { formatCount, formatDuration, formatTime } from "./text.js";
import { WITHHELD_BY_PLAN } from "./trace-head.js";

export const getSpans = defineTool({
  name: "get_spans",
  title: "Get spans",
  description:
    "Returns what went into and came out of up to 20 spans: sizes of all attributes, then input and output. `path` and `grep` reach inside payloads of any size. Use search_spans to find spans.",
  input: z.strictObject({
    span_ids: z.array(spanId).min(1).max(MAX_SPANS),
    trace_id: traceId
      .optional()
      .describe("Needed where span ids are shortened, and for events: exceptions."),
    path: searchText
      .optional()
      .describe("One value, such as gen_ai.prompt[-1].content: its key, then on into its JSON."),
    grep: searchText.optional().describe("Only where this text occurs, any case."),
    max_tokens: maxTokens,
    cursor,
  }),

  async run(args, context): Promise<SpansRead> {
    return args.trace_id === undefined
      ? readSpans(args.span_ids, context)
      : readSpansOfTrace(args.trace_id, args.span_ids, context);
  },

  format({ reads, isTruncatedByPlan }, args) {
    const spans = reads.flatMap((read) => ("span" in read ? [read.span] : []));
    const missed = reads.flatMap((read) =>
      "code" in read ? [`Span ${safeId(read.id)} could not be read: ${read.code}.`] : [],
    );
    const isSelection = args.path !== undefined || args.grep !== undefined;
    const section = isSelection ? selection(spans, args) : overview(spans, args);
    const head = [`${spans.length} of ${reads.length} spans`];
    const foot = [
      ...missed,
      ...(isTruncatedByPlan ? [WITHHELD_BY_PLAN] : []),
      ...(args.trace_id === undefined ? [WITHOUT_EVENTS] : []),
    ];
    return renderAnswer({ head, sections: [section], foot }, args.max_tokens);
  },
});

/** `GET /public/v1/spans/{id}` has none of them. */
const WITHOUT_EVENTS = "Events, such as exceptions with their stack, are only read with trace_id.";

interface Args {
  readonly path?: string | undefined;
  readonly grep?: string | undefined;
  readonly max_tokens: number;
  readonly cursor?: number | undefined;
}

/** What is left of an answer's budget for spans, once head and fence are paid for. */
const FIXED_TOKENS = 250;

/** One block for each span: its facts, what went in and out, and the size of everything it holds. */
function overview(spans: readonly Span[], { max_tokens }: Args): Section {
  const tokensPerSpan = Math.floor((max_tokens - FIXED_TOKENS) / Math.max(1, spans.length));
  return {
    title: "spans",
    lines: spans.map((span) => spanBlock(span, tokensPerSpan)),
    rest: (shown) =>
      callText("get_spans", { span_ids: spans.slice(shown).map(({ spanId }) => safeId(spanId)) }),
  };
}

/** Fewer tokens than this show nothing of a value worth reading. */
const MIN_VALUE_TOKENS = 15;

function spanBlock(span: Span, maxTokens: number): string {
  const facts = factsOf(span);
  const left = Math.max(0, maxTokens - estimateTokens(facts));
  const share = (part: number) => Math.max(MIN_VALUE_TOKENS, Math.floor(left * part));
  const lines = [
    ["in", spanInput(span), share(0.35)],
    ["out", spanOutput(span), share(0.35)],
    ["holds", sizesText(span), share(0.2)],
  ] as const;
  return [
    facts,
    ...lines.flatMap(([name, text, tokens]) =>
      text ? [`  ${name}: ${excerptTokens(text, tokens)}`] : [],
    ),
  ].join("\n");
}

/** Longest value that stands beside its path instead of its size. */
const MAX_INLINE_CHARS = 40;

/** Every path of the span with its value, or with the value's size. Largest first. */
function sizesText(span: Span): string {
  return payloadsOf(span)
    .toSorted((a, b) => b.text.length - a.text.length)
    .map(({ path, text }) =>
      text.length <= MAX_INLINE_CHARS
        ? `${path}=${text}`
        : `${path} (${formatCount(text.length)} chars)`,
    )
    .join(", ");
}

function factsOf(span: Span): string {
  return [
    `[${safeId(span.spanId)}] ${spanTitle({ span, kind: agentopsKind(span) })}`,
    `started ${formatTime(span.startUnixMs)}`,
    formatDuration(span.durationMs),
    usageText(usageOf(span)),
    span.status === "error" ? errorText(span) : `status ${span.status}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** The payloads at `path`, the matches of `grep` in them, or both, from the cursor on. */
function selection(spans: readonly Span[], { path, grep, cursor: skipped = 0 }: Args): Section {
  const asked = spans.map((span) => {
    const all = payloadsOf(span);
    return { span, payloads: path === undefined ? all : selectPayloads(all, parsePath(path)) };
  });
  const lines = asked.flatMap(({ span, payloads }) =>
    payloads.flatMap((payload) => {
      const label = `[${safeId(span.spanId)}] ${excerpt(payload.path, MAX_INLINE_CHARS)}:`;
      return grep === undefined
        ? [label, ...payloadLines(payload.text)]
        : grepPayload(payload, grep).map((match) => `${label} ${match}`);
    }),
  );
  const isMiss = asked.every(({ payloads }) => payloads.length === 0);
  if (lines.length === 0) lines.push(path && isMiss ? missText(spans, path) : NOTHING);
  return {
    title: grep === undefined ? "lines" : "matches",
    lines: lines.slice(skipped),
    rest: (shown) => `the same call with ${callArgs({ cursor: String(skipped + shown) })}`,
  };
}

/** What a path may have meant that leads nowhere: recorded text, since an SDK chose the keys. */
function missText(spans: readonly Span[], path: string): string {
  const near = nearestPaths(spans.flatMap(payloadsOf), parsePath(path));
  if (near.length === 0) return NOTHING;
  const paths = near.map((each) => excerpt(each, MAX_PATH_CHARS));
  return `(nothing there; did you mean ${paths.join(" or ")}?)`;
}

const MAX_PATH_CHARS = 120;

const NOTHING = "(nothing there: without path and grep, get_spans lists what each span holds)";
