import type { Attributes, Span, Trace } from "../../src/trace/trace.js";
import { buildTree, type SpanNode, type SpanTree } from "../../src/trace/tree.js";

/** Any real epoch: tests that leak a relative time into an absolute one should look wrong. */
export const epochUnixMs = 1_700_000_000_000;

/** One column of a drawing. */
export const columnMs = 100;

type SpanPart = Partial<Omit<Span, "spanId" | "attributes">> & { attributes?: Attributes };

export function span(spanId: string, part: SpanPart = {}): Span {
  return {
    spanId,
    parentSpanId: undefined,
    name: spanId,
    spanKind: "internal",
    status: "unset",
    statusMessage: "",
    serviceName: "agentops",
    startUnixMs: epochUnixMs,
    durationMs: 0,
    attributes: {},
    resourceAttributes: {},
    events: [],
    links: [],
    ...part,
  };
}

export function trace(spans: readonly Span[], part: Partial<Omit<Trace, "spans">> = {}): Trace {
  return {
    traceId: "4b1f0c6d9e5a4f7c8a2e3d1c0b9a8f7e",
    projectId: undefined,
    tags: [],
    isTruncatedByPlan: false,
    unreadSpanIds: new Set(),
    ...part,
    spans: spans.toSorted((a, b) => a.startUnixMs - b.startUnixMs),
  };
}

/**
 * Builds a tree from a drawing: indentation is parenthood, a bar is time (one column is 100 ms, from
 * its first `[` up to its `]`), `x` behind the bar an error, `ok` a success. The text before the bar is span id and
 * name; a `#2` at its end tells two spans of one name apart. `parts` adds the rest by span id.
 *
 *   planner.agent    [----------]
 *     search.tool      [---]       x
 *     search.tool#2         [---]  ok
 */
export function draw(picture: string, parts: Readonly<Record<string, SpanPart>> = {}): SpanTree {
  const open: { indent: number; spanId: string }[] = [];
  const spans = picture
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const { indent, spanId, ...drawn } = parseLine(line);
      while ((open.at(-1)?.indent ?? -1) >= indent) open.pop();
      const parentSpanId = open.at(-1)?.spanId;
      open.push({ indent, spanId });
      return span(spanId, { parentSpanId, ...drawn, ...parts[spanId] });
    });
  return buildTree(trace(spans));
}

function parseLine(line: string) {
  const match = /^( *)(.*?) +\[([^\]]*)\] *(x|ok|)$/.exec(line.trimEnd());
  if (match === null) throw new Error(`Not a span: ${line}`);
  const [, indent = "", spanId = "", bar = "", mark = ""] = match;
  return {
    indent: indent.length,
    spanId,
    name: spanId.replace(/#\w+$/, ""),
    startUnixMs: epochUnixMs + line.indexOf("[") * columnMs,
    durationMs: (bar.length + 1) * columnMs,
    status:
      mark === "x" ? ("error" as const) : mark === "ok" ? ("ok" as const) : ("unset" as const),
  };
}

export function nodeOf(tree: SpanTree, spanId: string): SpanNode {
  const node = tree.byId.get(spanId);
  if (node === undefined) throw new Error(`No span ${spanId}`);
  return node;
}

/** The tree as indented span ids, one line each, to compare with a drawing. */
export function outline(tree: SpanTree): string {
  return tree.nodes.map(({ depth, span: { spanId } }) => "  ".repeat(depth) + spanId).join("\n");
}
