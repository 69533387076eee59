import type * as z from "zod";
import type { AgentOpsClient } from "../api/client.js";

/** What a tool may use: a client bound to the call's credential and URL, and the call's cancellation. */
export interface ToolContext {
  readonly client: AgentOpsClient;
  readonly signal: AbortSignal;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly limits: ToolLimits;
  /** Tells the user of long work how far it is. Costs nothing where nobody listens. */
  reportProgress(progress: Progress): void;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Ours: no recorded text. */
  readonly message: string;
}

export interface ToolLimits {
  /** Longest raw body, in estimated tokens, that `view: auto` passes on instead of a tree. */
  readonly maxRawTokens: number;
}

/** One MCP tool. All tools only read; `server.ts` annotates them so. */
export interface Tool<Input extends z.ZodObject = z.ZodObject, Data = unknown> {
  readonly name: string;
  readonly title: string;
  /** What it returns and when to use another tool: at most 300 characters. */
  readonly description: string;
  /** Parameters without the credential, which every tool takes the same way (`credentials.ts`). */
  readonly input: Input;
  /** Set on the two tools whose raw answers may exceed what hosts show by default. */
  readonly answersRaw?: true;
  /** Fetches and shapes the answer. Throws ApiError; never makes text. */
  run(args: z.output<Input>, context: ToolContext): Promise<Data>;
  /** Makes the text that the model reads. Pure. */
  format(data: Data, args: z.output<Input>): string;
}

/** Lets TypeScript infer a tool's argument and data types from its definition. */
export function defineTool<Input extends z.ZodObject, Data>(
  tool: Tool<Input, Data>,
): Tool<Input, Data> {
  return tool;
}
