/** Tokens and USD, of one span or summed over many. */
export interface UsageFigures {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cacheReadTokens: number;
  readonly reasoningTokens: number;
  readonly totalTokens: number;
  readonly promptCostUsd: number;
  readonly completionCostUsd: number;
  readonly totalCostUsd: number;
}

export const usageColumns = (column: (name: string) => string) => `
  ${column("PromptTokens")} AS promptTokens,
  ${column("CompletionTokens")} AS completionTokens,
  ${column("CacheReadTokens")} AS cacheReadTokens,
  ${column("ReasoningTokens")} AS reasoningTokens,
  ${column("TotalTokens")} AS totalTokens,
  ${column("PromptCost")} AS promptCostUsd,
  ${column("CompletionCost")} AS completionCostUsd,
  ${column("TotalCost")} AS totalCostUsd`;

export const usageFields = [
  "promptTokens",
  "completionTokens",
  "cacheReadTokens",
  "reasoningTokens",
  "totalTokens",
  "promptCostUsd",
  "completionCostUsd",
  "totalCostUsd",
] as const satisfies readonly (keyof UsageFigures)[];

export function usageOf(figure: (name: keyof UsageFigures) => number): UsageFigures {
  return {
    promptTokens: figure("promptTokens"),
    completionTokens: figure("completionTokens"),
    cacheReadTokens: figure("cacheReadTokens"),
    reasoningTokens: figure("reasoningTokens"),
    totalTokens: figure("totalTokens"),
    promptCostUsd: figure("promptCostUsd"),
    completionCostUsd: figure("completionCostUsd"),
    totalCostUsd: figure("totalCostUsd"),
  };
}

export const noUsage = usageOf(() => 0);

export const addUsage = (one: UsageFigures, other: UsageFigures) =>
  usageOf((name) => one[name] + other[name]);
