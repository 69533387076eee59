import fc from "fast-check";
import { expect, test } from "vitest";
import {
  MAX_DEPTH,
  MAX_GAPS,
  nestAttributes,
  nestSpanAttributes,
} from "../../src/rest/nested-attributes.js";

const flat = (...keys: string[]) => Object.fromEntries(keys.map((key) => [key, key]));
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test.each([
  ["objects", flat("a.b", "a.c.d"), { a: { b: "a.b", c: { d: "a.c.d" } } }],
  ["a list from element 0 on", flat("a.0.k", "a.1.k"), { a: [{ k: "a.0.k" }, { k: "a.1.k" }] }],
  ["gaps between leaves as null", flat("a.0", "a.3"), { a: ["a.0", null, null, "a.3"] }],
  [
    "gaps between objects as {}",
    flat("a.0.k", "a.2.k"),
    { a: [{ k: "a.0.k" }, {}, { k: "a.2.k" }] },
  ],
  ["gaps between lists as []", flat("a.0.0", "a.2.1"), { a: [["a.0.0"], [], {}] }],
  ["no list without element 0", flat("a.1.k", "a.2.k"), { a: {} }],
  [
    "numbers from 10 on as keys of an object",
    flat("a.10", "a.11.k"),
    { a: { 10: "a.10", 11: { k: "a.11.k" } } },
  ],
  ["no names in a list", flat("a.0", "a.name"), { a: ["a.0"] }],
  ["the scalar, not what is beneath it", flat("x", "x.y", "x.z.w"), { x: "x" }],
  ["the scalar in a list, not what is beneath it", flat("a.0", "a.0.k"), { a: ["a.0"] }],
  ["no numbers at the root", flat("0", "0.x", "b"), { b: "b" }],
  ["empty segments as keys", flat("a..b"), { a: { "": { b: "a..b" } } }],
])("nesting keeps %s", (_name, attributes, nested) => {
  expect(plain(nestAttributes(attributes))).toEqual(nested);
});

test("the order in which attributes arrive does not matter", () => {
  expect(plain(nestAttributes({ "x.y": "1", x: "2", "a.1": "4", "a.0": "3" }))).toEqual({
    x: "2",
    a: ["3", "4"],
  });
});

test("any tree of names, lists and texts comes back from its dotted keys", () => {
  const { tree } = fc.letrec((tie) => ({
    node: fc.oneof({ maxDepth: 4 }, fc.string(), tie("list"), tie("tree")),
    // From 11 elements on, `a.10` sorts before `a.2` and AgentOps fills a gap first.
    list: fc.array(tie("node"), { minLength: 1, maxLength: 10 }),
    tree: fc.dictionary(fc.stringMatching(/^[a-z_]{1,3}$/), tie("node"), {
      minKeys: 1,
      maxKeys: 4,
    }),
  }));
  fc.assert(
    fc.property(tree, (original) => {
      expect(plain(nestAttributes(Object.fromEntries(flatten(original))))).toEqual(original);
    }),
  );
});

function flatten(value: unknown, path: readonly string[] = []): [string, string][] {
  if (typeof value !== "object" || value === null) return [[path.join("."), String(value)]];
  return Object.entries(value).flatMap(([key, child]) => flatten(child, [...path, key]));
}

test("a key named __proto__ is an attribute and touches no prototype", () => {
  const nested = nestAttributes({ "__proto__.polluted": "yes", "a.constructor.b": "c" });
  expect(JSON.stringify(nested)).toBe(
    '{"__proto__":{"polluted":"yes"},"a":{"constructor":{"b":"c"}}}',
  );
  expect("polluted" in {}).toBe(false);
});

test(`lists take ${MAX_GAPS} elements more than there are attributes, all of them together`, () => {
  const twoLists = nestAttributes(flat("a.0", `a.${MAX_GAPS}`, "a.999999999", "b.0", "b.9"));
  expect(twoLists.a).toHaveLength(MAX_GAPS + 1);
  expect(twoLists.b).toEqual(["b.0"]);
});

test("a list without gaps is whole, however long and in whatever order its keys are read", () => {
  const length = 30_000;
  const keys = Array.from({ length }, (_, index) => `a.${index}`);
  expect(nestAttributes(flat(...keys)).a).toEqual(keys);
});

test(`a key is split into ${MAX_DEPTH} at most; the rest stays one`, () => {
  const key = Array.from({ length: 20_000 }, () => "x").join(".");
  let level: unknown = nestAttributes({ [key]: "deep" });
  for (let depth = 1; depth < MAX_DEPTH; depth++) level = plain(level).x;
  expect(level).toEqual({ [key.slice(2 * (MAX_DEPTH - 1))]: "deep" });
});

test("a prompt given as one string becomes a user message; a completion stays a string", () => {
  expect(
    plain(nestSpanAttributes({ "gen_ai.prompt": "Hello", "gen_ai.completion": "Hi" })),
  ).toEqual({
    gen_ai: { prompt: [{ content: "Hello", role: "user" }], completion: "Hi" },
  });
});
