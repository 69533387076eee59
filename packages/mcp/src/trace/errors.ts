import { attributeKeys, firstText } from "./semconv.js";
import { endUnixMs, type Span } from "./trace.js";
import type { SpanNode, SpanTree } from "./tree.js";

/** What a failed span says about its failure; every part may be empty. */
export interface SpanError {
  /** Exception class without its module, such as `RateLimitError`. */
  readonly type: string;
  readonly message: string;
  readonly stacktrace: string;
}

export interface ErrorChain {
  /** The span in which the error arose: none of its children explains it. */
  readonly origin: SpanNode;
  readonly error: SpanError;
  /** Failed ancestors that passed the same error on, from the origin's parent upwards. */
  readonly passedOnBy: readonly SpanNode[];
  /** The first ancestor that the error did not reach; undefined when it reached a root. */
  readonly stoppedAt: SpanNode | undefined;
}

/** Undefined unless the span failed. Exception events say most, then `error.*` attributes, then the status. */
export function errorOf(span: Span): SpanError | undefined {
  if (span.status !== "error") return undefined;
  // Exceptions are often recorded twice on their way up; the last one is what left the span.
  const exception = span.events.findLast(({ name }) => name === "exception")?.attributes ?? {};
  const said = { ...span.attributes, ...exception };
  const status = splitStatus(span.statusMessage);
  const type = firstText(said, attributeKeys.errorType) ?? status.type;
  return {
    type: type.slice(type.lastIndexOf(".") + 1),
    message: firstText(said, attributeKeys.errorMessage) ?? status.message,
    stacktrace: firstText(said, attributeKeys.stacktrace) ?? "",
  };
}

/** The errors of a trace, each told once, in the order in which they arose. */
export function errorChains(tree: SpanTree): readonly ErrorChain[] {
  const failed = tree.nodes.flatMap((node) => {
    const error = errorOf(node.span);
    return error === undefined ? [] : [{ node, error }];
  });
  const passes = passesOf(tree, failed);
  const explained = new Set(passes.values());
  return failed
    .filter(({ node }) => !explained.has(node))
    .sort((a, b) => endUnixMs(a.node.span) - endUnixMs(b.node.span))
    .map((origin) => chainFrom(origin, passes));
}

interface FailedSpan {
  readonly node: SpanNode;
  readonly error: SpanError;
}

/** Decorators and exporters write `KeyError: 'x'`, or `openai.RateLimitError: …`, into the status message. */
function splitStatus(statusMessage: string): Pick<SpanError, "type" | "message"> {
  const match = /^((?:[a-z_]\w*\.)*[A-Z]\w*): ?(.*)$/s.exec(statusMessage);
  return { type: match?.[1] ?? "", message: match?.[2] ?? statusMessage };
}

function chainFrom(
  { node: origin, error }: FailedSpan,
  passes: ReadonlyMap<SpanNode, SpanNode>,
): ErrorChain {
  const passedOnBy: SpanNode[] = [];
  for (let above = passes.get(origin); above !== undefined; above = passes.get(above)) {
    passedOnBy.push(above);
  }
  return { origin, error, passedOnBy, stoppedAt: (passedOnBy.at(-1) ?? origin).parent };
}

/**
 * From each failed span to the failed ancestor that passed its error on. An ancestor passes on one
 * error: of several alike, the last that arose.
 */
function passesOf(tree: SpanTree, failed: readonly FailedSpan[]): ReadonlyMap<SpanNode, SpanNode> {
  const errors = new Map(failed.map(({ node, error }) => [node, error]));
  const failedAbove = nearestAbove(tree, (node) => errors.has(node));
  const causes = new Map<SpanNode, SpanNode>();
  for (const { node, error } of failed) {
    const above = failedAbove[node.index];
    const errorAbove = above && errors.get(above);
    if (above === undefined || errorAbove === undefined || !isPassedOn(error, errorAbove)) continue;
    const other = causes.get(above);
    const isLast = other === undefined || endUnixMs(other.span) <= endUnixMs(node.span);
    if (isLast) causes.set(above, node);
  }
  return new Map([...causes].map(([above, cause]) => [cause, above]));
}

/** By `node.index`, the closest ancestor that `matches`. */
function nearestAbove(
  { nodes }: SpanTree,
  matches: (node: SpanNode) => boolean,
): readonly (SpanNode | undefined)[] {
  const above: (SpanNode | undefined)[] = [];
  for (const { parent } of nodes) {
    above.push(parent && (matches(parent) ? parent : above[parent.index]));
  }
  return above;
}

/** A span passes an error on when it says nothing of its own, repeats it, or was raised from it. */
function isPassedOn(below: SpanError, above: SpanError): boolean {
  if (above.message === "" && above.type === "") return true;
  if (below.message === "") return below.type === above.type;
  return above.message.includes(below.message) || above.stacktrace.includes(below.message);
}
