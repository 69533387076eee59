import * as z from "zod";
import {
  type Cohort,
  type CohortComparison,
  compareCohorts,
  type TraitDifference,
  traitsOf,
} from "../trace/cohorts.js";
import { type FailureGroup, groupFailures } from "../trace/error-fingerprint.js";
import { buildTree } from "../trace/tree.js";
import { callText, renderAnswer } from "./answer.js";
import { defineTool } from "./define-tool.js";
import { maxTokens, maxTraces, query, since, tags, until } from "./fields.js";
import { raisedAt } from "./raised-at.js";
import { type Coverage, coverageText, readTraces } from "./read-traces.js";
import { excerpt } from "./recorded-text.js";
import { safeId } from "./span-ids.js";
import { costText, MAX_MESSAGE_CHARS } from "./span-line.js";
import { formatCount, formatDuration, formatTime, plural } from "./text.js";

interface Failures {
  readonly groups: readonly FailureGroup[];
  readonly cohorts: CohortComparison;
  readonly coverage: Coverage;
}

export const findFailures = defineTool({
  name: "find_failures",
  title: "Find failures",
  description:
    "Groups the errors of recent traces by what they have in common: how often, in how many runs, first and last seen, one example each; and what failing runs have that others have not. Use diagnose_trace for one run.",
  input: z.strictObject({
    since,
    until,
    query,
    tags,
    max_traces: maxTraces,
    max_tokens: maxTokens,
  }),

  async run(args, context): Promise<Failures> {
    const { parts, coverage } = await readTraces(
      args,
      (trace) => {
        const tree = buildTree(trace);
        return { tree, traits: traitsOf(tree) };
      },
      context,
    );
    return {
      groups: groupFailures(parts.map(({ tree }) => tree)),
      cohorts: compareCohorts(parts.map(({ traits }) => traits)),
      coverage,
    };
  },

  format({ groups, cohorts, coverage }, { max_tokens }) {
    if (coverage.nothing !== undefined) return coverageText(coverage);
    const failing = cohorts.failing.traceCount;
    const head = `${formatCount(failing)} of ${plural(coverage.readCount, "trace")} failed. ${kindsText(groups)} ${coverageText(coverage)}`;
    const example = groups[0]?.example.traceId;
    return renderAnswer(
      {
        head: [head],
        sections: [
          { title: "errors, most frequent first", lines: groups.map(groupLine), rest: () => wider },
          {
            title: "failing runs against the others",
            lines: cohortLines(cohorts),
            rest: () => wider,
          },
        ],
        foot:
          example === undefined
            ? []
            : [`Why one failed: ${callText("diagnose_trace", { trace_id: safeId(example) })}`],
      },
      max_tokens,
    );
  },
});

/** Runs get over errors: these are not only of those that failed. */
function kindsText(groups: readonly FailureGroup[]): string {
  if (groups.length === 0) return "No errors.";
  const runs = new Set(groups.flatMap(({ traceIds }) => traceIds));
  return `${plural(groups.length, "kind")} of error in ${plural(runs.size, "run")}.`;
}

const wider = "the same call with a larger max_tokens";
const MAX_NAME_CHARS = 60;

function groupLine(group: FailureGroup): string {
  const { identity, count, fatalCount, traceIds, example } = group;
  const { span } = example.chain.origin;
  return [
    `${formatCount(count)}× in ${plural(traceIds.length, "run")}${fatalCount > 0 ? ` (ended ${formatCount(fatalCount)})` : ""}: ${failureText(group)}`,
    `in ${identity.kind} ${excerpt(identity.name, MAX_NAME_CHARS)}`,
    seenText(group),
    raisedAt(example.chain),
    `e.g. trace ${safeId(example.traceId)} span ${safeId(span.spanId)}`,
  ]
    .filter(Boolean)
    .join(" | ");
}

/** `ValueError: 2 variants, e.g. no such city: 'Rome'` */
function failureText({ identity, messageCount, example }: FailureGroup): string {
  const message = excerpt(example.chain.error.message, MAX_MESSAGE_CHARS);
  const variants = messageCount > 1 ? `${plural(messageCount, "variant")}, e.g. ` : "";
  const parts = [excerpt(identity.type, MAX_NAME_CHARS), variants + message];
  return parts.filter(Boolean).join(": ") || "(no message)";
}

function seenText({ count, firstSeenUnixMs, lastSeenUnixMs }: FailureGroup): string {
  const last = formatTime(lastSeenUnixMs);
  return count === 1 ? `seen ${last}` : `first ${formatTime(firstSeenUnixMs)}, last ${last}`;
}

const MAX_DIFFERENCES = 10;

function cohortLines({ failing, others, differences }: CohortComparison): readonly string[] {
  if (failing.traceCount === 0 || others.traceCount === 0) return [];
  return [
    `median of failing: ${cohortText(failing)}`,
    `median of others: ${cohortText(others)}`,
    ...differences.slice(0, MAX_DIFFERENCES).map((each) => differenceLine(each, failing, others)),
  ];
}

function cohortText({ durationMs, spanCount, totalTokens, cost }: Cohort): string {
  return `${formatDuration(durationMs)}, ${plural(spanCount, "span")}, ${formatCount(totalTokens)} tok, ${costText(cost)}`;
}

function differenceLine(
  { trait, failingCount, otherCount }: TraitDifference,
  failing: Cohort,
  others: Cohort,
): string {
  const name = excerpt(trait.name, MAX_NAME_CHARS);
  return `${trait.type} ${name}: in ${failingCount} of ${failing.traceCount} failing, ${otherCount} of ${others.traceCount} other runs`;
}
