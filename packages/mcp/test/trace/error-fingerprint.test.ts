import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  comparedMessageChars,
  groupFailures,
  normalizeErrorMessage,
  normalizeSpanName,
} from "../../src/trace/error-fingerprint.js";
import { buildTree } from "../../src/trace/tree.js";
import { epochUnixMs, span, trace } from "./draw.js";
import { spentMs } from "./large.js";

describe("a normalized message", () => {
  test.each([
    ["GET https://api.example.com/v1/x?id=1 failed", "GET <url> failed"],
    ["no run 3f2b8c1e-0a4d-4e5f-9b6a-7c8d9e0f1a2b", "no run <id>"],
    ["expired at 2025-08-04T10:20:30.123Z", "expired at <time>"],
    ["cannot open /home/me/data.csv or C:\\tmp\\x", "cannot open <path> or <path>"],
    ["KeyError: 'city' in \"weather\"", "KeyError: <text> in <text>"],
    ["it isn't there, is it?", "it isn't there, is it?"],
    ["object at 0x7f3a2b", "object at <hex>"],
    ["tool call_8fK2mQx9 of req-01HZX3", "tool call_<id> of req-<id>"],
    ["request req_011CSHoEeqs5C35K2UUqR7Fy", "request req_<id>"],
    ["commit 9f86d081884c7d65 or 9f86d08", "commit <id> or <id>"],
    ["report-0042.pdf of batch 17", "report-<n>.pdf of batch <n>"],
    ["no route to 10.0.0.7:8080, lines 3-5", "no route to <n>:<n>, lines <n>-<n>"],
    ["retry in 1.5s, 3 of 10", "retry in <n>s, <n> of <n>"],
    ["many\n   spaces ", "many spaces"],
    ["rate_limit_exceeded and/or not", "rate_limit_exceeded and/or not"],
  ])("of %j is %j", (message, normalized) => {
    expect(normalizeErrorMessage(message)).toBe(normalized);
  });

  test.each([
    "user_N not found",
    "Row row-N invalid",
    "req-N timed out",
    "step_N failed",
    "seat BN taken",
  ])("of %j is the same for every N", (message) => {
    const all = Array.from({ length: 1_000 }, (_, n) =>
      normalizeErrorMessage(message.replace("N", String(n))),
    );
    expect(new Set(all).size).toBe(1);
  });
});

describe("a normalized span name", () => {
  test.each([
    "claude-sonnet-4-5",
    "claude-3-5-haiku-latest",
    "gpt-4o-mini",
    "gpt-4.1-nano",
    "o3-mini",
    "gemini-2.5-flash",
    "Qwen2.5-72B-Instruct",
    "mixtral-8x22b-instruct",
    "text-embedding-3-small",
    "llama3.1",
    "text2sql_agent",
    "getOauth2AccessToken",
    "sha256",
    "s3",
  ])("keeps the word %s", (word) => {
    expect(normalizeSpanName(`chat ${word}`)).toBe(`chat ${word}`);
  });

  test("keeps any words with a few digits, wherever they stand in a name", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."ghijklmnopqrstuvwxyz"), minLength: 1 });
    const number = fc.integer({ min: 0, max: 999 }).map(String);
    const joint = fc.constantFrom("-", "_", ".");
    const tail = fc.tuple(joint, fc.oneof(letters, number)).map((parts) => parts.join(""));
    const word = fc.tuple(letters, fc.array(tail, { maxLength: 5 }));
    fc.assert(
      fc.property(word, ([start, rest]) => {
        const name = start + rest.join("");
        expect(normalizeSpanName(name)).toBe(name);
      }),
    );
  });
});

describe("a normalized text", () => {
  test("is the same whatever ids, numbers and times it holds", () => {
    const hash = fc
      .nat()
      .map((seed) => createHash("sha256").update(String(seed)).digest("hex").slice(0, 32));
    const parts = fc.record({
      uuid: fc.uuid(),
      hash,
      request: hash.map((id) => id.slice(0, 24).toUpperCase()),
      amount: fc.double({ min: 0, max: 1e6, noNaN: true }).map((amount) => amount.toFixed(2)),
      address: fc.ipV4(),
      time: fc
        .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
        .map((time) => time.toISOString()),
    });
    fc.assert(
      fc.property(parts, ({ uuid, hash: id, request, amount, address, time }) => {
        const message = `${uuid} in ${id} for req_${request}: ${amount} EUR at ${address}, ${time}`;
        expect(normalizeErrorMessage(message)).toBe(
          "<id> in <id> for req_<id>: <n> EUR at <n>, <time>",
        );
      }),
    );
  });

  test("does not change when normalized again", () => {
    const piece = fc.constantFrom(
      ..."'\"`/\\<>:.-_, \n",
      ...[
        "0",
        "17",
        "a",
        "call_",
        "http://x",
        "'q'",
        "/a/b",
        "0xff",
        "2025-08-04",
        "<n>",
        "deadbeef-",
      ],
    );
    const texts = fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 });
    fc.assert(
      fc.property(texts, (pieces) => {
        for (const normalize of [normalizeErrorMessage, normalizeSpanName]) {
          const once = normalize(pieces.join(""));
          expect(normalize(once)).toBe(once);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("takes no time even for hostile text", () => {
    const hostile = ["a-", "a", "'", "/a", "0", "a.", "-"].map((part) =>
      part.repeat(comparedMessageChars),
    );
    const ms = spentMs(() => {
      for (const text of hostile) {
        normalizeErrorMessage(text);
        normalizeSpanName(text);
      }
    });
    expect(ms).toBeLessThan(200);
  });
});

describe("failures of several traces", () => {
  const failing = (traceId: string, second: number, statusMessage: string, name = "search.tool") =>
    buildTree(
      trace(
        [
          span("run", { startUnixMs: epochUnixMs + second * 1000 }),
          span("x", {
            name,
            parentSpanId: "run",
            startUnixMs: epochUnixMs + second * 1000,
            status: "error",
            statusMessage,
          }),
        ],
        { traceId },
      ),
    );

  test("are one group when only ids and numbers differ", () => {
    const [group, ...others] = groupFailures([
      failing("t1", 5, "TimeoutError: no answer after 30 s"),
      failing("t2", 9, "TimeoutError: no answer after 31 s"),
      failing("t3", 1, "TimeoutError: no answer after 32 s"),
    ]);
    expect(others).toEqual([]);
    expect(group).toMatchObject({
      identity: {
        type: "TimeoutError",
        message: "no answer after <n> s",
        kind: "tool",
        name: "search",
      },
      count: 3,
      fatalCount: 0,
      traceIds: ["t1", "t2", "t3"],
      firstSeenUnixMs: epochUnixMs + 1000,
      lastSeenUnixMs: epochUnixMs + 9000,
      example: { traceId: "t2" },
    });
  });

  test("differ by the model that a span is named after", () => {
    const groups = groupFailures([
      failing("t1", 1, "TimeoutError: no answer", "chat claude-sonnet-4-5"),
      failing("t2", 2, "TimeoutError: no answer", "chat claude-sonnet-4-5"),
      failing("t3", 3, "TimeoutError: no answer", "chat gpt-4o"),
    ]);
    expect(groups.map(({ identity, count }) => [identity.name, count])).toEqual([
      ["chat claude-sonnet-4-5", 2],
      ["chat gpt-4o", 1],
    ]);
  });

  test("differ by type, message, and where they arose; the most frequent come first", () => {
    const groups = groupFailures([
      failing("t1", 1, "TimeoutError: no answer"),
      failing("t2", 2, "ValueError: no answer"),
      failing("t3", 3, "ValueError: no answer", "fetch.tool"),
      failing("t4", 4, "ValueError: no answer", "fetch.tool"),
    ]);
    expect(
      groups.map(({ identity, count }) => `${identity.name} ${identity.type} ${count}`),
    ).toEqual(["fetch ValueError 2", "search ValueError 1", "search TimeoutError 1"]);
  });

  test("keep their fingerprint for good", () => {
    const [group] = groupFailures([failing("t1", 1, "TimeoutError: no answer after 30 s")]);
    expect(group?.fingerprint).toMatchInlineSnapshot(`"19ae14a406419fb4"`);
  });

  test("are compared by the start of their message", () => {
    const long = "x".repeat(comparedMessageChars);
    expect(
      groupFailures([failing("t1", 1, `${long} one`), failing("t2", 2, `${long} two`)]),
    ).toHaveLength(1);
  });
});
