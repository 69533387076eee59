import type { FlatAttributes } from "../store/index.js";

export type Nested = string | null | Nested[] | NestedObject;
export interface NestedObject {
  [key: string]: Nested;
}

/** What is deeper stays one key, dots and all. JSON readers of other languages stop at about as many. */
export const MAX_DEPTH = 100;

/**
 * Elements that fill gaps in the lists of one span, beyond one for each of its attributes: without gaps
 * it never takes more. What would need more is left out, so that `a.0` and `a.999999999` fill no memory.
 */
export const MAX_GAPS = 1000;

/**
 * Dotted keys as a tree, by AgentOps' rules, oddities included: keys in order, a list only where its
 * element 0 comes first, a scalar hides what is nested under it. All leaves stay strings.
 */
export function nestAttributes(flat: FlatAttributes): NestedObject {
  const root = emptyObject();
  const entries = Object.entries(flat).sort(byKey);
  const room: Room = { gaps: entries.length + MAX_GAPS };
  for (const [key, value] of entries) insert(root, segmentsOf(key), { value, room });
  return root;
}

/** The same for a span, where a prompt given as one string becomes a message. */
export function nestSpanAttributes(flat: FlatAttributes): NestedObject {
  const root = nestAttributes(flat);
  const genAi = root.gen_ai;
  if (isObject(genAi) && typeof genAi.prompt === "string") {
    genAi.prompt = [{ content: genAi.prompt, role: "user" }];
  }
  return root;
}

export function isObject(value: Nested | undefined): value is NestedObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type Container = Nested[] | NestedObject;

/** How many more gaps may be filled. */
interface Room {
  gaps: number;
}

function segmentsOf(key: string): string[] {
  const segments = key.split(".");
  if (segments.length <= MAX_DEPTH) return segments;
  return [...segments.slice(0, MAX_DEPTH - 1), segments.slice(MAX_DEPTH - 1).join(".")];
}

function insert(
  root: NestedObject,
  segments: readonly string[],
  { value, room }: { value: string; room: Room },
): void {
  let container: Container = root;
  for (const [depth, segment] of segments.entries()) {
    const next = segments[depth + 1];
    if (next === undefined) {
      place(container, segment, { value, gap: () => null, room });
      return;
    }
    place(container, segment, {
      value: next === "0" ? [] : emptyObject(),
      gap: () => (isIndex(next) ? [] : emptyObject()),
      room,
    });
    const child = get(container, segment);
    if (typeof child !== "object" || child === null) return;
    container = child;
  }
}

/** Puts a value where nothing is yet, if the container can hold it under that segment. */
function place(
  container: Container,
  segment: string,
  { value, gap, room }: { value: Nested; gap: () => Nested; room: Room },
): void {
  if (!Array.isArray(container)) {
    if (!isDigit(segment)) container[segment] ??= value;
    return;
  }
  const index = Number(segment);
  if (!isIndex(segment) || index - container.length > room.gaps) return;
  room.gaps -= Math.max(index - container.length, 0);
  while (container.length < index) container.push(gap());
  container[index] ??= value;
}

function get(container: Container, segment: string): Nested | undefined {
  if (!Array.isArray(container)) return isDigit(segment) ? undefined : container[segment];
  return isIndex(segment) ? container[Number(segment)] : undefined;
}

const isIndex = (segment: string) => /^\d+$/.test(segment);
/** AgentOps drops list elements below 10 that have no list; larger ones become keys. */
const isDigit = (segment: string) => isIndex(segment) && Number(segment) < 10;

/** Without a prototype, so that an attribute named `__proto__` is a key like any other. */
function emptyObject(): NestedObject {
  return Object.create(null);
}

function byKey([left]: [string, string], [right]: [string, string]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
