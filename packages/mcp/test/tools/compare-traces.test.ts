import { expect, test } from "vitest";
import { traceIdOf } from "../runs/run.js";
import { localWithWeek } from "./own-local.js";

const connect = localWithWeek();

test("compare_traces says what changed and what it did to cost", async () => {
  const { call } = await connect();
  const ids = { a: traceIdOf("song-before"), b: traceIdOf("song-after") };
  const { text } = await call("compare_traces", ids);

  expect(text).toMatch(/cost \$0\.029 → \$0\.00\d+ \(-\d+ %\)/);
  expect(text).toContain("tokens out 2,100 → 540 (-74 %)");
  expect(text).toMatch(/a: .*long, rhyming songs[\s\S]*b: .*short songs/);
});

test("compare_traces says when two runs do not compare", async () => {
  const { call } = await connect();
  const ids = { a: traceIdOf("song-before"), b: traceIdOf("nightly-fine") };
  const { text } = await call("compare_traces", ids);

  expect(text).toContain("The runs have no agent in common: differences mean little");
});

test.each(["a", "b"])("compare_traces says that the id in %s is too short", async (argument) => {
  const { call } = await connect();
  const ids = { a: traceIdOf("bridge"), b: traceIdOf("bridge"), [argument]: "abcde" };
  const { text, isError } = await call("compare_traces", ids);

  expect(isError).toBe(true);
  expect(text).toContain(`invalid_argument: \`${argument}\`: Give 6 or more characters of it.`);
});

test("compare_traces of a run with itself finds nothing", async () => {
  const { call } = await connect();
  const id = traceIdOf("bridge");
  const { text } = await call("compare_traces", { a: id, b: id });

  expect(text).toContain("none: every step is in both, unchanged");
});
