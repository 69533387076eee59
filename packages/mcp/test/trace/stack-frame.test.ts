import { expect, test } from "vitest";
import { innermostOwnFrame, rootCause } from "../../src/trace/stack-frame.js";

const python = `Traceback (most recent call last):
  File "/app/.venv/lib/python3.12/site-packages/agentops/sdk/decorators/factory.py", line 312, in wrapper
    result = wrapped(*args, **kwargs)
  File "/app/src/travel/booking.py", line 88, in charge_card
    return asyncio.run(gateway.charge(amount))
  File "/usr/lib/python3.12/asyncio/runners.py", line 194, in run
    return runner.run(main)
  File "<frozen importlib._bootstrap>", line 1360, in _find_and_load
  File "/app/.venv/lib/python3.12/site-packages/stripe/_client.py", line 41, in charge
    raise PaymentDeclined(amount)
stripe.PaymentDeclined: card ending 4242 was declined`;

const chained = `Traceback (most recent call last):
  File "/app/cache.py", line 7, in read
    return store[key]
KeyError: 'fares'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 30, in <module>
    fares()
  File "/app/fares.py", line 12, in fares
    raise LookupError("no fares") from None
LookupError: no fares`;

const group = `  + Exception Group Traceback (most recent call last):
  |   File "C:\\work\\crew.py", line 5, in kickoff
  |     async with asyncio.TaskGroup() as tasks:
  |   File "C:\\Users\\me\\AppData\\Local\\Programs\\Python\\Python312\\Lib\\asyncio\\taskgroups.py", line 145, in __aexit__
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)`;

const node = `TypeError: fetch failed (at first try)
    at node:internal/deps/undici/undici:13502:13
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)
    at async Client.send (/app/node_modules/.pnpm/openai@5.0.1/node_modules/openai/client.js:301:22)
    at async Planner.next [as step] (file:///app/src/planner.ts:42:18)
    at async main (file:///app/src/main.ts:9:3)`;

const windows = `Error: no such city
    at Array.map (<anonymous>)
    at C:\\work\\agent\\cities.js:17:11
    at Object.<anonymous> (C:\\work\\agent\\index.js:3:1)`;

const library = `Traceback (most recent call last):
  File "/usr/local/lib/python3.11/threading.py", line 1045, in _bootstrap_inner
  File "/opt/conda/lib/python3.11/concurrent/futures/thread.py", line 58, in run
TimeoutError`;

test.each([
  ["a Python call into a library", python, "/app/src/travel/booking.py", 88, "charge_card"],
  ["chained Python exceptions", chained, "/app/fares.py", 12, "fares"],
  ["a Python exception group on Windows", group, "C:\\work\\crew.py", 5, "kickoff"],
  ["the top of a Python module", 'File "job.py", line 3, in <module>', "job.py", 3, undefined],
  ["Python without a function", 'File "/app/job.py", line 3', "/app/job.py", 3, undefined],
  ["Node.js", node, "/app/src/planner.ts", 42, "Planner.next [as step]"],
  ["Node.js on Windows", windows, "C:\\work\\agent\\cities.js", 17, undefined],
  ["an async callback", "at async /app/a b/(x)/run.mjs:8:1", "/app/a b/(x)/run.mjs", 8, undefined],
])("the innermost frame of one's own is found in %s", (_, stacktrace, file, line, functionName) => {
  expect(innermostOwnFrame(stacktrace)).toEqual({ file, line, functionName });
});

test("a message that reads like a frame is none", () => {
  const said = `${python}\nValueError: bad File "/etc/passwd", line 9, in message`;
  expect(innermostOwnFrame(said)?.file).toBe("/app/src/travel/booking.py");
});

const raisedFrom = `${chained.replaceAll("During handling of the above exception, another exception occurred:", "The above exception was the direct cause of the following exception:")}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 31, in <module>
    raise SystemExit(1)
SystemExit: 1`;

const inGroup = `  + Exception Group Traceback (most recent call last):
  |   File "/app/crew.py", line 5, in kickoff
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/app/cache.py", line 7, in read
    |     return store[key]
    |            ~~~~~^^^^^
    | KeyError: 'fares'
    | 
    | During handling of the above exception, another exception occurred:
    | 
    | Traceback (most recent call last):
    |   File "/app/fares.py", line 12, in fares
    | LookupError: no fares
    +------------------------------------`;

const nodeCauses = `${node} {
  [cause]: Error: no route
      at route (/app/src/route.ts:7:9) {
    [cause]: TypeError: no city
        at City.read (/app/src/city.ts:3:5)
  }
}`;

test.each([
  ["handled", chained, "KeyError: 'fares'", "/app/cache.py:7"],
  ["raised from", raisedFrom, "KeyError: 'fares'", "/app/cache.py:7"],
  ["handled in a group", inGroup, "KeyError: 'fares'", "/app/cache.py:7"],
  ["of Node.js", nodeCauses, "TypeError: no city", "/app/src/city.ts:3"],
])("the first of a chain of exceptions is found: %s", (_, stacktrace, error, place) => {
  const cause = rootCause(stacktrace);
  expect(cause?.error).toBe(error);
  expect(`${cause?.frame?.file}:${cause?.frame?.line}`).toBe(place);
});

test.each([
  ["Python", python],
  ["Node.js", node],
  ["nothing", ""],
])("an exception of %s alone has no cause", (_, stacktrace) => {
  expect(rootCause(stacktrace)).toBeUndefined();
});

test.each([
  ["only libraries", library],
  ["no frames", "PaymentDeclined: card ending 4242 was declined\n  at the counter"],
  ["nothing", ""],
])("a stack trace with %s has none", (_, stacktrace) => {
  expect(innermostOwnFrame(stacktrace)).toBeUndefined();
});

test.each(['File "', "at (", "at :1:1", ":1:1", " ", "[cause]: "])(
  "a hostile stack trace of a megabyte of %j takes no time",
  (text) => {
    const startedAt = performance.now();
    innermostOwnFrame(`at ${text.repeat(1_000_000 / text.length)}`);
    rootCause(`[cause]: ${text.repeat(1_000_000 / text.length)}`);

    expect(performance.now() - startedAt).toBeLessThan(500);
  },
);
