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

const columnsByField: Readonly<Record<keyof UsageFigures, string>> = {
  promptTokens: "PromptTokens",
  completionTokens: "CompletionTokens",
  cacheReadTokens: "CacheReadTokens",
  reasoningTokens: "ReasoningTokens",
  totalTokens: "TotalTokens",
  promptCostUsd: "PromptCost",
  completionCostUsd: "CompletionCost",
  totalCostUsd: "TotalCost",
};

export const usageFields: readonly string[] = Object.keys(columnsByField);

/** `… AS promptTokens, …`, each of what `figure` makes of a column's name. */
export const usageColumns = (figure: (column: string) => string) =>
  Object.entries(columnsByField)
    .map(([field, column]) => `${figure(column)} AS ${field}`)
    .join(", ");

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
