import { expect, test } from "vitest";
import { createBoundedCache } from "../../src/api/bounded-cache.js";

test("the entry that was not used for the longest time makes room", () => {
  const cache = createBoundedCache<number>({ maxWeight: 2, ttlMs: 1_000, now: () => 0 });
  cache.set("a", 1);
  cache.set("b", 2);
  cache.get("a");
  cache.set("c", 3);
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([1, undefined, 3]);
});

test("entries weigh what they say, and one that is too heavy is not kept", () => {
  const cache = createBoundedCache<string>({ maxWeight: 10, ttlMs: 1_000, now: () => 0 });
  cache.set("a", "a", { weight: 4 });
  cache.set("b", "b", { weight: 4 });
  cache.set("huge", "huge", { weight: 11 });
  expect([cache.get("a"), cache.get("b"), cache.get("huge")]).toEqual(["a", "b", undefined]);

  cache.set("c", "c", { weight: 6 });
  expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([undefined, "b", "c"]);
});

test("replacing, expiring and deleting an entry gives its weight back", () => {
  let nowMs = 0;
  const cache = createBoundedCache<string>({ maxWeight: 2, ttlMs: 100, now: () => nowMs });
  for (let index = 0; index < 5; index += 1) cache.set("same", "same");
  cache.set("other", "other");
  expect(cache.get("same")).toBe("same");

  cache.delete("same");
  nowMs = 100;
  expect(cache.get("other")).toBeUndefined();
  cache.set("x", "x");
  cache.set("y", "y");
  expect([cache.get("x"), cache.get("y")]).toEqual(["x", "y"]);
});

test("an entry can live shorter than the others", () => {
  let nowMs = 0;
  const cache = createBoundedCache<string>({ maxWeight: 10, ttlMs: 100, now: () => nowMs });
  cache.set("short", "short", { ttlMs: 10 });
  cache.set("long", "long");
  nowMs = 10;
  expect([cache.get("short"), cache.get("long")]).toEqual([undefined, "long"]);
  nowMs = 99;
  expect(cache.get("long")).toBe("long");
});
