import { expect, test } from "vitest";
import { createPlaces } from "../../src/rest/places.js";

const { signal } = new AbortController();

test("those who find no place wait in turn, and a place is given back once", async () => {
  const places = createPlaces(2);
  const taken: number[] = [];
  const leave = await Promise.all([places.take(signal), places.take(signal)]);
  const waiting = [3, 4].map(async (who) => {
    const giveBack = await places.take(signal);
    taken.push(who);
    return giveBack;
  });

  leave[0]();
  leave[0]();
  const third = await waiting[0];
  expect(taken).toEqual([3]);
  third?.();
  await waiting[1];
  expect(taken).toEqual([3, 4]);
});

test("who goes away leaves the line, and the place goes to the next", async () => {
  const places = createPlaces(1);
  const leave = await places.take(signal);
  const impatient = new AbortController();
  const gone = places.take(impatient.signal);
  const next = places.take(signal);

  impatient.abort(new Error("hung up"));
  await expect(gone).rejects.toThrow("hung up");
  leave();
  expect(await next).toBeTypeOf("function");
  await expect(places.take(impatient.signal)).rejects.toThrow("hung up");
});
