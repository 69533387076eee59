import { createHash } from "node:crypto";

/** One step of a made-up run. Children run one after the other inside it. */
export interface Step {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
  /** What the step takes itself, on top of its children. */
  readonly ms?: number;
  /** `Type: message`. The step has failed, with an exception event as SDKs record it. */
  readonly error?: string;
  readonly ok?: boolean;
  readonly children?: readonly Step[];
}

export interface Run {
  /** Names the run in tests; its trace id is made from it. */
  readonly key: string;
  readonly startUnixMs: number;
  readonly root: Step;
}

/** An OTLP/JSON span, as far as we write it. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly unknown[];
  readonly events: readonly unknown[];
  readonly status: { readonly code: number; readonly message?: string };
}

export function traceIdOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 32);
}

export function durationMs({ ms = 0, children = [] }: Step): number {
  return children.reduce((sum, child) => sum + durationMs(child), ms);
}

/** The body of `POST /v1/traces` with `content-type: application/json`. */
export function toOtlp(spans: readonly OtlpSpan[]): string {
  const resource = { attributes: attributesOf({ "service.name": "agentops" }) };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
}

export function spansOf({ key, startUnixMs, root }: Run): readonly OtlpSpan[] {
  const traceId = traceIdOf(key);
  const spans: OtlpSpan[] = [];

  function add(step: Step, parentSpanId: string, startMs: number): void {
    const spanId = createHash("sha256").update(`${key} ${spans.length}`).digest("hex").slice(0, 16);
    const endMs = startMs + durationMs(step);
    spans.push({
      traceId,
      spanId,
      parentSpanId,
      name: step.name,
      kind: 1,
      startTimeUnixNano: nano(startMs),
      endTimeUnixNano: nano(endMs),
      attributes: attributesOf(step.attributes ?? {}),
      ...outcomeOf(step, endMs),
    });
    let childStartMs = startMs;
    for (const child of step.children ?? []) {
      add(child, spanId, childStartMs);
      childStartMs += durationMs(child);
    }
  }
  add(root, "", startUnixMs);
  return spans;
}

function outcomeOf({ error, ok }: Step, endMs: number): Pick<OtlpSpan, "events" | "status"> {
  if (error === undefined) return { events: [], status: { code: ok ? 1 : 0 } };
  const [, type = "Error", message = error] = /^(\w+): (.*)$/s.exec(error) ?? [];
  const attributes = attributesOf({
    "exception.type": type,
    "exception.message": message,
    "exception.stacktrace": `Traceback (most recent call last):\n  File "/app/agent.py", line 42, in run\n${error}`,
  });
  return {
    events: [{ name: "exception", timeUnixNano: nano(endMs), attributes }],
    status: { code: 2, message: error },
  };
}

function attributesOf(attributes: Readonly<Record<string, string | number>>): readonly unknown[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { doubleValue: value },
  }));
}

/** To the microsecond: a double holds no more of today. */
function nano(unixMs: number): string {
  return `${Math.round(unixMs * 1000)}000`;
}

export interface Message {
  readonly role: string;
  readonly content: string;
}

export interface ModelCall {
  readonly model: string;
  readonly prompt: readonly Message[];
  readonly completion: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** USD per million tokens, in and out. */
  readonly price?: readonly [input: number, output: number];
}

/** The attributes of a model call as AgentOps' SDK and collector write them. */
export function modelAttributes(call: ModelCall): Record<string, string | number> {
  const { model, prompt, completion, inputTokens, outputTokens, price } = call;
  const messages = prompt.flatMap(({ role, content }, index) => [
    [`gen_ai.prompt.${index}.role`, role],
    [`gen_ai.prompt.${index}.content`, content],
  ]);
  return {
    "gen_ai.request.model": model,
    "gen_ai.response.model": model,
    ...Object.fromEntries(messages),
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": completion,
    "gen_ai.usage.prompt_tokens": String(inputTokens),
    "gen_ai.usage.completion_tokens": String(outputTokens),
    "gen_ai.usage.total_tokens": String(inputTokens + outputTokens),
    ...(price && {
      "gen_ai.usage.prompt_cost": (inputTokens * price[0]) / 1e6,
      "gen_ai.usage.completion_cost": (outputTokens * price[1]) / 1e6,
    }),
  };
}

export const GPT_4O = { model: "gpt-4o-2024-08-06", price: [2.5, 10] } as const;
export const GPT_4O_MINI = { model: "gpt-4o-mini-2024-07-18", price: [0.15, 0.6] } as const;
