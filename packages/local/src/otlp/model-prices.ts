import type { calcPrice, PriceCalculation } from "@pydantic/genai-prices";

/** What one call of a model used. Cached tokens are part of the input, reasoning is part of the output. */
export interface ModelCall {
  readonly model: string;
  /** As the sender calls it: `openai`, `aws.bedrock`, or the framework that made the call. */
  readonly provider: string | undefined;
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly startUnixNano: bigint;
}

export interface CallCost {
  readonly promptUsd: number;
  readonly completionUsd: number;
}

/** Undefined for a model without a known price. */
export type PriceCall = (call: ModelCall) => CallCost | undefined;

/** Models beyond this make the memory of looked-up ones start anew: their names come from outside. */
export const MAX_KNOWN_MODELS = 1000;

/** Runtimes of the user's own machine: nobody bills for the models that bear a cloud model's name there. */
const unbilledProviders = ["ollama", "vllm", "lmstudio", "llama.cpp"];

/**
 * Loads the price list: a tenth of a second and some megabytes, so only once there is a call to price.
 *
 * Looking a model up takes 0.1 ms, as long as storing two spans, so each is looked up once.
 */
export async function loadPrices(): Promise<PriceCall> {
  const prices = await import("@pydantic/genai-prices");
  const known = new Map<string, PriceCall>();

  return (call) => {
    const name = `${call.provider ?? ""} ${call.model}`;
    let price = known.get(name);
    if (!price) {
      if (known.size >= MAX_KNOWN_MODELS) known.clear();
      price = findPrice(prices.calcPrice, call);
      known.set(name, price);
    }
    return price(call);
  };
}

type Calculate = typeof calcPrice;

function findPrice(calculate: Calculate, call: ModelCall): PriceCall {
  for (const { model, provider } of readings(call)) {
    const found = calculate(usageOf(call), model, provider ? { providerId: provider } : {});
    if (found) return isLinear(found) ? linearPrice(calculate, found) : listPrice(calculate, found);
  }
  return () => undefined;
}

/** What a sender may mean: its provider's model, any provider's (it named a framework), `provider/model`. */
function readings({ model, provider }: ModelCall): { model: string; provider?: string }[] {
  const [prefix = "", ...rest] = model.split("/");
  const named = [provider ?? "", prefix].map((name) => name.toLowerCase());
  if (named.some((name) => unbilledProviders.includes(name))) return [];
  return [
    ...(provider ? [{ model, provider }] : []),
    { model },
    ...(rest.length > 0 ? [{ model: rest.join("/"), provider: prefix }] : []),
  ];
}

/** One rate per kind of token, whenever and however much; the others have tiers, hours or a fee per request. */
function isLinear({ model, model_price }: PriceCalculation): boolean {
  const rates = Object.entries(model_price);
  return (
    !Array.isArray(model.prices) &&
    rates.every(([name, rate]) => typeof rate === "number" && name !== "requests_kcount")
  );
}

/** The same as {@link listPrice} for a price that is linear, in a hundredth of the time. */
function linearPrice(calculate: Calculate, { model, provider }: PriceCalculation): PriceCall {
  const rate = (usage: Record<string, number>) =>
    calculate(usage, model.id, { provider })?.total_price ?? 0;
  const input = rate({ input_tokens: 1 });
  const cacheRead = rate({ input_tokens: 1, cache_read_tokens: 1 });
  const cacheWrite = rate({ input_tokens: 1, cache_write_tokens: 1 });
  const output = rate({ output_tokens: 1 });
  const reasoning = rate({ output_tokens: 1, output_reasoning_tokens: 1 });

  return (call) => ({
    promptUsd:
      (call.inputTokens - call.cacheReadTokens - call.cacheWriteTokens) * input +
      call.cacheReadTokens * cacheRead +
      call.cacheWriteTokens * cacheWrite,
    completionUsd:
      (call.outputTokens - call.reasoningTokens) * output + call.reasoningTokens * reasoning,
  });
}

/** What is paid per request counts as a cost of the prompt. */
function listPrice(calculate: Calculate, { model, provider }: PriceCalculation): PriceCall {
  return (call) => {
    const options = { provider, timestamp: new Date(Number(call.startUnixNano / 1_000_000n)) };
    const price = calculate(usageOf(call), model.id, options);
    if (!price) return undefined;
    const { output_price, total_price } = price;
    return { promptUsd: total_price - output_price, completionUsd: output_price };
  };
}

function usageOf(call: ModelCall) {
  return {
    input_tokens: call.inputTokens,
    cache_read_tokens: call.cacheReadTokens,
    cache_write_tokens: call.cacheWriteTokens,
    output_tokens: call.outputTokens,
    output_reasoning_tokens: call.reasoningTokens,
  };
}
