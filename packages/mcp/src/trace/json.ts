/**
 * The value of a JSON object or array, undefined for any other text. Attributes hold JSON and plain
 * text under the same keys, so text that fails to parse is no error.
 */
export function parseJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    // `unknown` instead of JSON.parse's any: callers look before they touch.
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text as it is; anything else as JSON. Empty for an absent value. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : toJson(value);
}

/**
 * One spelling for arguments that mean the same: keys sorted, white space dropped, and the SDK
 * decorators' `{"args": [], "kwargs": {…}}` reduced to the part that holds something.
 */
export function canonicalArguments(text: string): string {
  const value = parseJson(text);
  return value === undefined
    ? text.trim().replace(/\s+/g, " ")
    : toJson(withoutCallFrame(value), sortKeys);
}

/** JSON.stringify recurses, and a hostile trace can nest values deeper than the stack is. */
function toJson(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  try {
    return JSON.stringify(value, replacer);
  } catch {
    return "(nested too deep)";
  }
}

function withoutCallFrame(value: unknown): unknown {
  if (!isRecord(value) || !Array.isArray(value.args) || !isRecord(value.kwargs)) return value;
  const { args, kwargs, ...rest } = value;
  if (Object.keys(rest).length > 0) return value;
  if (Object.keys(kwargs).length === 0) return args;
  return args.length === 0 ? kwargs : value;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
