import { attributeKeys, firstText, modelOf } from "./semconv.js";
import type { Attributes, Span } from "./trace.js";

/** What a span does in an agent system, as opposed to its OpenTelemetry `spanKind`. */
export const agentopsKinds = [
  "session",
  "workflow",
  "agent",
  "task",
  "chain",
  "llm",
  "tool",
  "handoff",
  "guardrail",
  "http",
  "unknown",
] as const;

export type AgentopsKind = (typeof agentopsKinds)[number];

/** As the last part of a span's name, where the SDK puts the kind, and in `agentops.span.kind`. */
export const kindsBySuffix: ReadonlyMap<string, AgentopsKind> = new Map([
  ["session", "session"],
  ["workflow", "workflow"],
  ["agent", "agent"],
  ["task", "task"],
  ["operation", "task"],
  ["chain", "chain"],
  ["llm", "llm"],
  ["tool", "tool"],
  ["tool_usage", "tool"],
  ["handoff", "handoff"],
  ["guardrail", "guardrail"],
]);

/** Only in `agentops.span.kind`: as the end of a name these words say nothing. */
export const kindsByDeclaration: ReadonlyMap<string, AgentopsKind> = new Map([
  ...kindsBySuffix,
  ["workflow.step", "task"],
  ["request", "llm"],
  ["http", "http"],
]);

export const kindsByOperation: ReadonlyMap<string, AgentopsKind> = new Map([
  ["chat", "llm"],
  ["generate_content", "llm"],
  ["text_completion", "llm"],
  ["embeddings", "llm"],
  ["execute_tool", "tool"],
  ["create_agent", "agent"],
  ["invoke_agent", "agent"],
  ["invoke_workflow", "workflow"],
]);

/**
 * Names that instrumentations give, and the only evidence in a trace whose attributes the plan withheld.
 * Databases match them too: no lookaround, no backreference.
 */
export const kindsByNamePattern: readonly (readonly [RegExp, AgentopsKind])[] = [
  [/^(?:tool_call\.|tool[.:]|adk\.tool\.|execute_tool )/, "tool"],
  [/^(?:agent[.:]|adk\.agent\.|invoke_agent )/, "agent"],
  [/^adk\.llm\./, "llm"],
  [
    /^(?:openai|anthropic|gemini|watsonx)\.(?:chat|responses|completions?|embeddings|generate)/,
    "llm",
  ],
  [/^(?:openai|anthropic)\.messages\.(?:create|stream)$/, "llm"],
  [/^langgraph\.(?:graph|workflow)\./, "workflow"],
  [/^langgraph\.node\./, "llm"],
];

/**
 * The span's kind: what the SDK declared, else what its name says, else what its attributes imply.
 * Provider spans (`openai.*`), `tool_call.*` and OpenAI Agents' trace and handoff spans declare none.
 */
export function agentopsKind(span: Span): AgentopsKind {
  return (
    declaredKind(span.attributes) ??
    kindFromName(span.name) ??
    impliedKind(span.attributes) ??
    (modelOf(span) === undefined ? "unknown" : "llm")
  );
}

function declaredKind(attributes: Attributes): AgentopsKind | undefined {
  const declared = firstText(attributes, attributeKeys.kind)?.toLowerCase();
  if (declared !== undefined) {
    // AgentOps refines a kind with a dot: `tool.usage`, `agent.action`.
    const general = declared.split(".", 1).join();
    const kind = kindsByDeclaration.get(declared) ?? kindsByDeclaration.get(general);
    if (kind !== undefined) return kind;
  }
  const operation = firstText(attributes, attributeKeys.operation);
  return operation === undefined ? undefined : kindsByOperation.get(operation);
}

function impliedKind(attributes: Attributes): AgentopsKind | undefined {
  const read = (keys: readonly string[]) => firstText(attributes, keys);
  if (read(attributeKeys.fromAgent) && read(attributeKeys.toAgent)) return "handoff";
  if (read(attributeKeys.stepType) === "trace") return "workflow";
  if (read(attributeKeys.guardrailSpec)) return "guardrail";
  return read(attributeKeys.toolName) === undefined ? undefined : "tool";
}

function kindFromName(name: string): AgentopsKind | undefined {
  const suffix = name.slice(name.lastIndexOf(".") + 1);
  return (
    kindsBySuffix.get(suffix) ?? kindsByNamePattern.find(([pattern]) => pattern.test(name))?.[1]
  );
}

/** What instrumentations add to a name to say the span's kind. */
export const nameDecoration =
  /^(?:tool_call\.|tool[.:]|agent[.:]|adk\.(?:agent|tool|llm)\.|ag2\.agent\.|execute_tool |invoke_agent )|(?:\.agno\.(?:agent|team))?(?:\.run)?\.(?:session|workflow|agent|task|operation|tool|tool_usage|llm|chain|guardrail)$/g;

/** The span's name without its {@link nameDecoration}: `search.tool` is `search`. */
export function bareName(name: string): string {
  return name.replace(nameDecoration, "") || name;
}

/** The agent that a span names as its own; spans below it work for that agent. */
export function agentNameOf(span: Span, kind: AgentopsKind): string | undefined {
  const name = firstText(span.attributes, attributeKeys.agentName);
  if (name !== undefined || kind !== "agent") return name;
  return firstText(span.attributes, attributeKeys.agentRole) ?? entityNameOf(span);
}

/** What a decorator or framework calls the thing the span ran, else the span's bare name. */
export function entityNameOf(span: Span): string {
  return firstText(span.attributes, attributeKeys.entityName) ?? bareName(span.name);
}
