import type * as z from "zod";
import { createBoundedCache } from "../api/bounded-cache.js";
import { acceptedInput, type ConfiguredCredential, shownInput } from "./credentials.js";
import type { Tool } from "./define-tool.js";

/** The parameters of one tool. Each form is made when it is first asked for. */
export interface ToolSchemas {
  /** What a client is shown. */
  shown(): z.ZodObject;
  /** What a call may bring. */
  accepted(): z.ZodObject;
  /**
   * What the SDK lists. It leaves the checking to whoever has {@link accepted}, so that a wrong argument
   * is answered in the same form as every other error.
   */
  readonly listed: ListedSchema;
}

type ListedSchema = ReturnType<typeof withoutValidation>;

/** Over HTTP a caller names the URL that the schemas show: for more tools than this they are made again. */
const MAX_KNOWN = 1_000;

/** Over HTTP every request makes a server: making its schemas too was an eighth of a call's work. */
const known = createBoundedCache<ToolSchemas>({
  maxWeight: MAX_KNOWN,
  ttlMs: Number.POSITIVE_INFINITY,
  now: () => 0,
});

export function toolSchemas(tool: Tool, configured: ConfiguredCredential): ToolSchemas {
  const { isKeyConfigured, apiUrl } = configured;
  const key = [tool.name, isKeyConfigured, apiUrl].join(" ");
  const found = known.get(key);
  if (found) return found;
  const made = createSchemas(tool, { isKeyConfigured, apiUrl });
  known.set(key, made);
  return made;
}

function createSchemas(tool: Tool, configured: ConfiguredCredential): ToolSchemas {
  const isOriginal = tool.answersRaw === true;
  const shown = once(() => shownInput(tool.input, { ...configured, isOriginal }));
  const accepted = once(() => acceptedInput(tool.input));
  return { shown, accepted, listed: withoutValidation(shown) };
}

function withoutValidation(shown: () => z.ZodObject) {
  const input = once(() => shown()["~standard"].jsonSchema.input({ target: "draft-2020-12" }));
  return {
    "~standard": {
      version: 1 as const,
      vendor: "zod",
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input, output: input },
    },
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
