import { expect, test } from "vitest";
import { epochUnixMs, span, trace } from "../trace/draw.js";
import { localWithWeek } from "./own-local.js";
import { scriptedApi } from "./scripted-api.js";

const connect = localWithWeek();

test("find_failures groups errors that differ in figures only", async () => {
  const { call } = await connect();
  const { text } = await call("find_failures", { since: "7d" });

  expect(text).toMatch(
    /^4 of 11 traces failed\. 2 kinds of error in 4 runs\. 11 of 11 traces read\.\n/,
  );
  expect(text).toMatch(
    /^3× in 3 runs: PaymentDeclined: .* \| in tool charge_card \| first .*, last .* \| raised at \/app\/agent\.py:42 in run \| e\.g\. trace /m,
  );
  expect(text).toMatch(/^1× in 1 run \(ended 1\): TimeoutError: /m);
});

test("find_failures says what failing runs have that others have not", async () => {
  const { call } = await connect();
  const { text } = await call("find_failures", { query: "nightly" });

  expect(text).toMatch(/^1 of 2 traces failed/);
  expect(text).toContain("tool upload: in 1 of 1 failing, 0 of 1 other runs");
});

test("find_failures says that the messages of a group differ", async () => {
  const failing = ["oops", "twelve", "oops"].map((text, i) =>
    span(`parse-${i}`, {
      name: "parse",
      status: "error",
      statusMessage: `ValueError: could not convert string to float: '${text}'`,
      startUnixMs: epochUnixMs + i,
    }),
  );
  const same = span("ask", { name: "ask", status: "error", statusMessage: "TimeoutError: late" });
  const { ask } = await scriptedApi([trace([...failing, same])], {
    now: () => epochUnixMs + 1000,
  });
  const { text } = await ask("find_failures");

  expect(text).toContain(
    "3× in 1 run (ended 3): ValueError: 2 variants, e.g. could not convert string to float: 'oops' | ",
  );
  expect(text).toContain("1× in 1 run (ended 1): TimeoutError: late | ");
});

test("find_failures finds nothing where nothing failed", async () => {
  const { call } = await connect();
  const { text } = await call("find_failures", { tags: ["song-crew"] });

  expect(text).toMatch(/^0 of 2 traces failed\. No errors\./);
});

test("find_failures tells errors that a run got over from runs that failed", async () => {
  const run = span("run", {
    name: "trip.session",
    attributes: { "agentops.session.end_state": "Success" },
  });
  const retried = span("fetch", {
    parentSpanId: "run",
    name: "fetch.tool",
    status: "error",
    statusMessage: "TimeoutError: late",
  });
  const { ask } = await scriptedApi([trace([run, retried])], { now: () => epochUnixMs + 1000 });
  const { text } = await ask("find_failures");

  expect(text).toMatch(/^0 of 1 trace failed\. 1 kind of error in 1 run\./);
});
