import { calcPrice } from "@pydantic/genai-prices";
import { expect, test } from "vitest";
import { decodeJson } from "../../src/otlp/json.js";
import { loadPrices, MAX_KNOWN_MODELS, type ModelCall } from "../../src/otlp/model-prices.js";
import { createPricing } from "../../src/otlp/pricing.js";
import { decodeProtobuf } from "../../src/otlp/protobuf.js";
import { textToString } from "../../src/store/index.js";
import { exportOf, newTraceId, spanAt, text, toJson, toProtobuf } from "../otlp-message.js";

type Attributes = Readonly<Record<string, string>>;

const PROMPT_COST = "gen_ai.usage.prompt_cost";
const COMPLETION_COST = "gen_ai.usage.completion_cost";

/** A span's attributes after pricing, as they arrive in protobuf. */
async function priced(attributes: Attributes, decode = decodeProtobuf): Promise<Attributes> {
  const entries = Object.entries(attributes).map(([key, value]) => text(key, value));
  const message = exportOf(spanAt(0, 1, { traceId: newTraceId(), attributes: entries }));
  const body = decode === decodeProtobuf ? toProtobuf(message) : toJson(message);
  const [group] = await createPricing()(decode(body).groups);
  const found = group?.spans[0]?.attributes ?? [];
  return Object.fromEntries(found.map((entry) => entry.map(textToString)));
}

async function costs(attributes: Attributes) {
  const { [PROMPT_COST]: prompt, [COMPLETION_COST]: completion } = await priced(attributes);
  return prompt === undefined ? undefined : [Number(prompt), Number(completion)];
}

const agentopsCall = {
  "gen_ai.system": "OpenAI",
  "gen_ai.request.model": "gpt-4o-mini",
  "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
  "gen_ai.usage.prompt_tokens": "9",
  "gen_ai.usage.completion_tokens": "2",
};

test("a call recorded by AgentOps' SDK gets the costs that its collector adds", async () => {
  expect(await costs(agentopsCall)).toEqual([expect.closeTo(1.35e-6), expect.closeTo(1.2e-6)]);
  const fromJson = await priced(agentopsCall, decodeJson);
  expect(fromJson).toEqual(await priced(agentopsCall));
});

test("a call recorded by the newer GenAI conventions gets the same costs", async () => {
  const call = {
    "gen_ai.provider.name": "openai",
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": "9",
    "gen_ai.usage.output_tokens": "2",
  };
  expect(await costs(call)).toEqual(await costs(agentopsCall));
});

test("a model under the name it had before the conventions gets the same costs", async () => {
  const { "gen_ai.request.model": _, "gen_ai.response.model": model, ...call } = agentopsCall;
  expect(await costs({ ...call, "llm.response.model": model })).toEqual(await costs(agentopsCall));
});

test.each(["gen_ai.usage.total_cost", "llm.cost", PROMPT_COST, COMPLETION_COST])(
  "a span that brings %s keeps it and gets no other",
  async (key) => {
    const attributes = { ...agentopsCall, [key]: "0.5" };
    expect(await priced(attributes)).toEqual(attributes);
  },
);

test.each([
  ["an unknown model", { "gen_ai.response.model": "house-model-1" }],
  ["no model", { "gen_ai.response.model": "", "gen_ai.request.model": "" }],
  ["no tokens", { "gen_ai.usage.prompt_tokens": "None", "gen_ai.usage.completion_tokens": "" }],
  [
    "a negative count",
    { "gen_ai.usage.prompt_tokens": "-4", "gen_ai.usage.completion_tokens": "0" },
  ],
  ["an agent, which repeats its calls' tokens", { "agentops.span.kind": "agent" }],
  ["an agent of the newer conventions", { "gen_ai.operation.name": "invoke_agent" }],
  ["a model run on the user's machine", { "gen_ai.system": "ollama" }],
])("%s costs nothing that we know of", async (_, attributes) => {
  expect(await costs({ ...agentopsCall, ...attributes })).toBeUndefined();
});

test.each([
  ["a framework's name for a provider", { "gen_ai.system": "crewai" }],
  ["no provider", { "gen_ai.system": "" }],
  [
    "the provider before the model",
    { "gen_ai.system": "", "gen_ai.response.model": "openai/gpt-4o-mini" },
  ],
])("%s does not hide the price", async (_, attributes) => {
  expect(await costs({ ...agentopsCall, ...attributes })).toEqual(await costs(agentopsCall));
});

test("cached tokens cost what the provider bills for them", async () => {
  const claude = {
    "gen_ai.provider.name": "anthropic",
    "gen_ai.response.model": "claude-sonnet-4-20250514",
    "gen_ai.usage.input_tokens": "1000",
    "gen_ai.usage.output_tokens": "0",
  };
  const read = { "gen_ai.usage.cache_read.input_tokens": "800" };
  const written = { "gen_ai.usage.cache_creation.input_tokens": "800" };
  expect(await costs(claude)).toEqual([expect.closeTo(0.003, 9), 0]);
  expect(await costs({ ...claude, ...read })).toEqual([expect.closeTo(0.00084, 9), 0]);
  expect(await costs({ ...claude, ...written })).toEqual([expect.closeTo(0.0036, 9), 0]);

  // Anthropic's own count of input leaves cached tokens out.
  const apart = { ...claude, ...read, "gen_ai.usage.input_tokens": "200" };
  expect(await costs(apart)).toEqual(await costs({ ...claude, ...read }));
});

test.each([
  { total: undefined, read: 500, isApart: false },
  { total: 1210, read: 500, isApart: false },
  { total: 1710, read: 500, isApart: true },
  { total: 1999, read: 500, isApart: false },
  { total: undefined, read: 1500, isApart: true },
  { total: 1210, read: 1500, isApart: true },
  { total: 1310, read: 0, written: 100, isApart: true },
  { total: 1210, read: 0, written: 100, isApart: false },
  { total: 1810, read: 500, written: 100, isApart: true },
  { total: 1710, read: 500, written: 100, isApart: true },
])(
  "of 1000 input and 210 output tokens, $total in all, $read read and $written written: cached apart $isApart",
  async ({ total, read, written = 0, isApart }) => {
    const cost = await costs({
      "gen_ai.provider.name": "anthropic",
      "gen_ai.response.model": "claude-sonnet-4-20250514",
      "gen_ai.usage.input_tokens": "1000",
      "gen_ai.usage.output_tokens": "210",
      "gen_ai.usage.cache_read.input_tokens": String(read),
      "gen_ai.usage.cache_creation.input_tokens": String(written),
      "gen_ai.usage.total_tokens": String(total ?? ""),
    });
    const plain = isApart ? 1000 : 1000 - read - written;
    const prompt = (plain * 3 + read * 0.3 + written * 3.75) / 1e6;
    expect(cost).toEqual([expect.closeTo(prompt, 9), expect.closeTo(0.00315, 9)]);
  },
);

test("reasoning is part of the output and is not billed twice", async () => {
  const thinking = { ...agentopsCall, "gen_ai.usage.reasoning_tokens": "2" };
  expect(await costs(thinking)).toEqual(await costs(agentopsCall));
  const apart = { ...thinking, "gen_ai.usage.completion_tokens": "0" };
  expect(await costs(apart)).toEqual(await costs(agentopsCall));
});

const call: ModelCall = {
  model: "gpt-4o",
  provider: "openai",
  inputTokens: 1000,
  cacheReadTokens: 300,
  cacheWriteTokens: 0,
  outputTokens: 500,
  reasoningTokens: 100,
  startUnixNano: 1_767_323_045_000_000_000n,
};

test.each([
  ["gpt-4o", "openai"],
  ["claude-sonnet-4-20250514", "anthropic"],
  ["gemini-2.5-pro", "google"],
  ["sonar", "perplexity"],
  ["deepseek-chat", "deepseek"],
  ["text-embedding-3-small", "openai"],
])(
  "%s is priced as the price list itself prices it, tiers and fees included",
  async (model, provider) => {
    const price = await loadPrices();
    for (const inputTokens of [1000, 250_000]) {
      const cost = price({ ...call, model, provider, inputTokens });
      const expected = calcPrice(
        {
          input_tokens: inputTokens,
          cache_read_tokens: 300,
          output_tokens: 500,
          output_reasoning_tokens: 100,
        },
        model,
        { providerId: provider, timestamp: new Date(Number(call.startUnixNano / 1_000_000n)) },
      );
      expect(expected?.total_price).toBeGreaterThan(0);
      expect((cost?.promptUsd ?? 0) + (cost?.completionUsd ?? 0)).toBeCloseTo(
        expected?.total_price ?? 0,
        12,
      );
    }
  },
);

test("model names without end do not fill the memory", async () => {
  const price = await loadPrices();
  for (let index = 0; index <= MAX_KNOWN_MODELS; index++) {
    expect(price({ ...call, model: `made-up-${index}` })).toBeUndefined();
  }
  expect(price(call)?.promptUsd).toBeGreaterThan(0);
});
