import { expect, test } from "vitest";
import { createGate, type Gate, type Pass } from "../../src/api/gate.js";

async function admitted(gate: Gate, wanted: number): Promise<Pass[]> {
  const passes: Pass[] = [];
  for (let index = 0; index < wanted; index += 1) {
    void gate.enter(new AbortController().signal).then((pass) => passes.push(pass));
  }
  await new Promise((resolve) => setImmediate(resolve));
  return passes;
}

test("as many as the limit are admitted, and the others in the order they came", async () => {
  const gate = createGate(2);
  const order: number[] = [];
  const passes: Pass[] = [];
  for (const each of [1, 2, 3, 4]) {
    void gate.enter(new AbortController().signal).then((pass) => {
      order.push(each);
      passes.push(pass);
    });
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([1, 2]);

  for (const pass of [...passes]) pass.leave("served");
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([1, 2, 3, 4]);
});

test("a full window of overloads halves the limit once", async () => {
  const gate = createGate(16);
  for (const pass of await admitted(gate, 16)) pass.leave("overloaded");
  expect(await admitted(gate, 16)).toHaveLength(8);
});

test("overloads never close the gate", async () => {
  const gate = createGate(4);
  for (let round = 0; round < 20; round += 1) {
    const [pass] = await admitted(gate, 1);
    pass?.leave("overloaded");
  }
  expect(await admitted(gate, 4)).toHaveLength(1);
});

test("the limit recovers with what is served, up to where it was", async () => {
  const gate = createGate(4);
  const [pass] = await admitted(gate, 1);
  pass?.leave("overloaded");
  for (let served = 0; served < 100; served += 1) {
    const [next] = await admitted(gate, 1);
    next?.leave("served");
  }
  expect(await admitted(gate, 10)).toHaveLength(4);
});

test("one who gives up while waiting leaves the queue", async () => {
  const gate = createGate(1);
  const [pass] = await admitted(gate, 1);
  const controller = new AbortController();
  const abandoned = gate.enter(controller.signal);
  const next = gate.enter(new AbortController().signal);
  controller.abort(new Error("gave up"));
  await expect(abandoned).rejects.toThrow("gave up");

  pass?.leave("served");
  await expect(next).resolves.toBeDefined();
});
