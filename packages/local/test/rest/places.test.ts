import { expect, test } from "vitest";
import { createPlaces } from "../../src/rest/places.js";

test("those who find no place wait in turn, and a place is given back once", async () => {
  const places = createPlaces(2);
  const taken: number[] = [];
  const leave = await Promise.all([places.take(), places.take()]);
  const waiting = [3, 4].map(async (who) => {
    const giveBack = await places.take();
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
