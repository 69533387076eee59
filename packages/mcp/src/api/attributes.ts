import type { Attributes } from "../trace/trace.js";

/**
 * Undoes AgentOps' nesting: `{gen_ai: {prompt: [{role: "user"}]}}` becomes `gen_ai.prompt.0.role`,
 * the key that the SDK emitted. Gaps that the server filled with null, `{}` or `[]` disappear.
 */
export function flattenAttributes(...nested: readonly unknown[]): Attributes {
  const flat: [key: string, value: string][] = [];
  // A stack instead of recursion: the depth is a number of dots that some program put into a key.
  const pending = nested.map(toRootEntry).reverse();

  for (let next = pending.pop(); next; next = pending.pop()) {
    const [key, value] = next;
    if (typeof value === "object" && value !== null) {
      for (const child of children(key, value).reverse()) pending.push(child);
    } else if (value !== null && value !== undefined && key !== "") {
      flat.push([key, String(value)]);
    }
  }
  // Not assignment: an attribute may be called `__proto__`.
  return Object.fromEntries(flat);
}

type Entry = [key: string, value: unknown];

function toRootEntry(value: unknown): Entry {
  return ["", value];
}

function children(prefix: string, parent: object): Entry[] {
  return Object.entries(parent).map(([key, value]) => [prefix ? `${prefix}.${key}` : key, value]);
}
