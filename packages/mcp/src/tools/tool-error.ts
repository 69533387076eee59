import * as z from "zod";
import { ApiError, type ApiErrorCode } from "../api/errors.js";

/** The closed set of codes an error answer may start with. */
export type ToolErrorCode = ApiErrorCode | "invalid_argument" | "internal_error";

export interface ToolError {
  readonly code: ToolErrorCode;
  /** One sentence on what happened. */
  readonly message: string;
  /** One sentence on what to do. */
  readonly hint: string;
}

/** An argument that only the data shows to be wrong, such as an id prefix that fits two traces. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";
  readonly argument: string;

  /** `problem` is a sentence of ours: it repeats neither the argument's value nor recorded text. */
  constructor(argument: string, problem: string) {
    super(problem);
    this.argument = argument;
  }
}

export function formatToolError({ code, message, hint }: ToolError): string {
  return `${code}: ${message}\n${hint}`;
}

/** What the agent hears of anything thrown. Only our own errors speak for themselves. */
export function toToolError(error: unknown): ToolError {
  if (error instanceof ApiError) return error;
  if (error instanceof ArgumentError) {
    return {
      code: "invalid_argument",
      message: `\`${error.argument}\`: ${error.message}`,
      hint: "Correct the argument and call again.",
    };
  }
  return {
    code: "internal_error",
    message: "The server failed while answering; this is a fault of the server, not of the call.",
    hint: "Try once more; if it fails again, report it with the server's log on stderr.",
  };
}

/** Says which argument is wrong and which are valid, without repeating what was given. */
export function argumentError(
  toolName: string,
  schema: z.ZodObject,
  issues: readonly z.core.$ZodIssue[],
): ToolError {
  return {
    code: "invalid_argument",
    message: issues.map(describeIssue).join(" "),
    hint: `${toolName} takes ${Object.entries(schema.shape).map(describeField).join(", ")}.`,
  };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") {
    return `Unknown ${issue.keys.length === 1 ? "argument" : "arguments"} ${issue.keys.map(quoteName).join(", ")}.`;
  }
  const name = issue.path.length === 0 ? "The arguments" : `\`${issue.path.join(".")}\``;
  return `${name}: ${issue.message}.`;
}

/** Names come from the caller: one that could not be a parameter's may be a misplaced value, or a key. */
function quoteName(name: string): string {
  return /^[A-Za-z_]\w{0,39}$/.test(name) ? `\`${name}\`` : "(not a name)";
}

function describeField([name, field]: [string, z.core.$ZodType]): string {
  return z.safeParse(field, undefined).success ? `\`${name}\` (optional)` : `\`${name}\``;
}
