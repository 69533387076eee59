import { type ToolUse, toolOf } from "./span-io.js";
import { byStart, type SpanNode, type SpanTree } from "./tree.js";

export interface ToolCallNode {
  readonly node: SpanNode;
  readonly tool: ToolUse;
}

/**
 * Every model call once, by start time. Where one model span wraps another, as LangChain's around the
 * provider's, the innermost is the call.
 */
export function llmCalls(tree: SpanTree): readonly SpanNode[] {
  const wrappers = new Set<SpanNode>();
  for (const node of tree.nodes.toReversed()) {
    const isModel = node.kind === "llm" || wrappers.has(node);
    if (isModel && node.parent !== undefined) wrappers.add(node.parent);
  }
  return byStart(tree.nodes.filter((node) => node.kind === "llm" && !wrappers.has(node)));
}

/**
 * Every tool call once, by start time. A span below a model call is the model's request, told again by
 * the span of its execution where there is one; a span right below one of the same tool is the same
 * call seen by another instrumentation.
 */
export function toolCalls(tree: SpanTree): readonly ToolCallNode[] {
  const tools = new Map<SpanNode, ToolUse>();
  const executed = new Set<string>();
  for (const node of tree.nodes) {
    const tool = toolOf(node.span, node.kind);
    if (tool === undefined) continue;
    tools.set(node, tool);
    if (node.parent?.kind !== "llm") executed.add(tool.name);
  }
  const isTold = ({ parent }: SpanNode, { name }: ToolUse) =>
    parent?.kind === "llm"
      ? executed.has(name)
      : parent !== undefined && tools.get(parent)?.name === name;
  return [...tools]
    .filter(([node, tool]) => !isTold(node, tool))
    .map(([node, tool]) => ({ node, tool }))
    .sort((a, b) => a.node.span.startUnixMs - b.node.span.startUnixMs);
}
