import { describe, expect, test } from "vitest";
import { type ErrorChain, errorChains, errorOf } from "../../src/trace/errors.js";
import { draw, epochUnixMs, span } from "./draw.js";

const exception = (type: string, message: string, stacktrace = "") => ({
  name: "exception",
  timeUnixMs: epochUnixMs,
  attributes: {
    "exception.type": type,
    "exception.message": message,
    "exception.stacktrace": stacktrace,
  },
});

/** `fetch > search > planner | session`: origin, who passed it on, who was not reached. */
const told = ({ origin, passedOnBy, stoppedAt }: ErrorChain) =>
  [
    [origin, ...passedOnBy].map((node) => node.span.spanId).join(" > "),
    stoppedAt?.span.spanId,
  ].join(" | ");

describe("what a failed span says", () => {
  test("is its last exception, with the class bare of its module", () => {
    const failed = span("x", {
      status: "error",
      statusMessage: "ignored",
      attributes: { "error.type": "ignored" },
      events: [
        exception("ValueError", "first"),
        exception("openai.RateLimitError", "slow down", "at…"),
      ],
    });
    expect(errorOf(failed)).toEqual({
      type: "RateLimitError",
      message: "slow down",
      stacktrace: "at…",
    });
  });

  test("is in error attributes where there is no exception", () => {
    const attributes = { "error.type": "timeout", "error.message": "no answer" };
    expect(errorOf(span("x", { status: "error", attributes }))).toMatchObject({
      type: "timeout",
      message: "no answer",
    });
  });

  test.each([
    ["KeyError: 'x'", "KeyError", "'x'"],
    ["openai.RateLimitError: slow down", "RateLimitError", "slow down"],
    ["search: no answer", "", "search: no answer"],
    ["", "", ""],
  ])("is in the status message %j otherwise", (statusMessage, type, message) => {
    expect(errorOf(span("x", { status: "error", statusMessage }))).toMatchObject({ type, message });
  });

  test("is nothing on a span that did not fail", () => {
    expect(errorOf(span("x", { events: [exception("ValueError", "handled")] }))).toBeUndefined();
  });
});

describe("an error", () => {
  const picture = `
    session        [-----------]    x
      planner      [---------]      x
        search       [-----]        x
          fetch        [-]          x
  `;
  const saying = (statusMessage: string) => ({ statusMessage });

  test("is told once, from the span in which it arose up to the root", () => {
    const tree = draw(picture, {
      fetch: saying("TimeoutError: no answer"),
      search: saying("TimeoutError: no answer"),
      planner: saying("ToolError: search failed: no answer"),
    });
    expect(errorChains(tree).map(told)).toEqual(["fetch > search > planner > session | "]);
    expect(errorChains(tree)[0]?.error.type).toBe("TimeoutError");
  });

  test("of its own makes a parent another origin", () => {
    const tree = draw(picture, {
      fetch: saying("TimeoutError: no answer"),
      search: saying("ParseError: no JSON"),
      planner: saying("ParseError: no JSON"),
    });
    expect(errorChains(tree).map(told)).toEqual([
      "fetch | search",
      "search > planner > session | ",
    ]);
  });

  test("is passed on by the exception raised from it", () => {
    const tree = draw("planner  [---]  x\n  fetch   [-]  x", {
      fetch: saying("TimeoutError: no answer"),
      planner: {
        events: [exception("RunError", "gave up", "TimeoutError: no answer\n\nThe above…")],
      },
    });
    expect(errorChains(tree).map(told)).toEqual(["fetch > planner | "]);
  });

  test("goes past a span that reports no status", () => {
    const tree = draw(
      `
      session       [-----]  x
        planner     [---]
          fetch      [-]     x
      `,
      { fetch: saying("TimeoutError: no answer"), session: saying("TimeoutError: no answer") },
    );
    expect(errorChains(tree).map(told)).toEqual(["fetch > session | "]);
  });

  test("that was survived stops where it was handled", () => {
    const tree = draw("planner  [-----]  ok\n  fetch   [-]   x");
    expect(errorChains(tree).map(told)).toEqual(["fetch | planner"]);
  });

  test("of a retried call ends in the last attempt, the others stop at the parent", () => {
    const tree = draw(
      `
      planner       [----------]  x
        fetch        [-]          x
        fetch#2         [-]       x
      `,
      {
        fetch: saying("TimeoutError: no answer"),
        "fetch#2": saying("TimeoutError: no answer"),
        planner: saying("TimeoutError: no answer"),
      },
    );
    expect(errorChains(tree).map(told)).toEqual(["fetch | planner", "fetch#2 > planner | "]);
  });
});
