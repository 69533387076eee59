import { estimateTokens } from "./estimate-tokens.js";
import { fence } from "./recorded-text.js";

/** Default and bounds of `max_tokens`. The strictest hosts cut answers at about 10 KB. */
export const DEFAULT_MAX_TOKENS = 2_500;
export const MIN_MAX_TOKENS = 500;
export const MAX_MAX_TOKENS = 50_000;

/** A rendered answer before it is cut to its budget. */
export interface Answer {
  /** Our own words: figures and ids, nothing recorded. Always shown. */
  readonly head: readonly string[];
  readonly sections: readonly Section[];
  /** Our own words again: coverage and what to call next. Always shown. */
  readonly foot: readonly string[];
}

/** Recorded text, of which as much is shown as fits. */
export interface Section {
  /** Our own word for the lines, in the plural. A section without a title is the answer itself. */
  readonly title?: string;
  /** Clean (see `recorded-text.ts`), most important first or in an order of their own. */
  readonly lines: readonly string[];
  /** What `lines` leaves out already: there are `total` in all. */
  readonly total?: number;
  /** The call that returns what does not fit, after the first `shown` lines. */
  rest(shown: number): string;
}

/**
 * Writes the answer in at most `maxTokens`. Sections share the room line by line, so that each shows
 * its most important lines; whatever is left out is counted, with the call that returns it.
 */
export function renderAnswer(answer: Answer, maxTokens: number): string {
  const { head, foot } = answer;
  const filled = filledSections(answer);
  const counts = shownCounts(answer, maxTokens);
  const body = filled.flatMap((section, index) => {
    const shown = counts[index] ?? 0;
    const lines = section.lines.slice(0, shown);
    return section.title === undefined ? lines : [titleLine(section, shown), ...lines];
  });
  const leftOut = filled.flatMap((section, index) => {
    const shown = counts[index] ?? 0;
    return shown < totalOf(section) ? [restLine(section, shown)] : [];
  });
  return [...head, ...fence(body), ...leftOut, ...foot].join("\n");
}

/** How many lines of each section that has any fit into `maxTokens`. */
export function shownCounts(answer: Answer, maxTokens: number): readonly number[] {
  const { head, foot } = answer;
  const filled = filledSections(answer);
  const titles = filled.map((section) => titleLine(section, section.lines.length));
  const rests = filled.map((section) => restLine(section, 0));
  const fixed = [...head, ...fence(["", ...titles]), ...rests, ...foot];
  return shareOut(filled, maxTokens - tokensOf(fixed));
}

function filledSections({ sections }: Answer): readonly Section[] {
  return sections.filter(({ lines }) => lines.length > 0);
}

/** How many lines of each section fit: one of each in turn, until the next one does not. */
function shareOut(sections: readonly Section[], maxTokens: number): readonly number[] {
  const counts = sections.map(() => 0);
  const open = new Set(sections.keys());
  let left = maxTokens;

  for (const index of turns(open)) {
    const line = sections[index]?.lines[counts[index] ?? 0];
    const tokens = line === undefined ? Number.POSITIVE_INFINITY : tokensOf([line]);
    if (tokens > left) {
      open.delete(index);
      continue;
    }
    left -= tokens;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}

function* turns(open: ReadonlySet<number>): Generator<number> {
  while (open.size > 0) yield* [...open];
}

/** What lines cost: each ends with a break of its own. */
export function tokensOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + estimateTokens(line) + 1, 0);
}

function totalOf({ lines, total }: Section): number {
  return total ?? lines.length;
}

function titleLine(section: Section, shown: number): string {
  const total = totalOf(section);
  return shown === total ? `${section.title}:` : `${section.title} (${shown} of ${total}):`;
}

function restLine(section: Section, shown: number): string {
  return `Shown ${shown} of ${totalOf(section)} ${section.title ?? "lines"}. Rest: ${section.rest(shown)}`;
}

/** A call as the model can make it: `trace_detail {"trace_id":"…","view":"raw"}`. */
export function callText(toolName: string, args: Readonly<Record<string, unknown>>): string {
  return `${toolName} ${callArgs(args)}`;
}

export function callArgs(args: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(args);
}
