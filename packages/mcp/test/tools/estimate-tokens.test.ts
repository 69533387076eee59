import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, test } from "vitest";
import { estimateTokens } from "../../src/tools/estimate-tokens.js";

const repeat = (text: string) => text.repeat(20);
const span = (index: number) => ({
  span_id: randomBytes(8).toString("hex"),
  parent_span_id: randomBytes(8).toString("hex"),
  span_name: "openai.chat.completion",
  start_time: `2025-08-20T09:15:02.${String(100_000 + index * 7919)}+00:00`,
  duration: 1_709_446_120 + index * 104_729,
  status_code: "OK",
  span_attributes: {
    gen_ai: {
      prompt: [{ role: "user", content: "What is the weather in Berlin?\nUse Celsius." }],
      usage: { prompt_tokens: "912", completion_tokens: "88" },
    },
  },
});
const spans = Array.from({ length: 40 }, (_, index) => span(index));
const row =
  "  llm gpt-4o-mini 1.2 s 912+88 tok $0.00012 ERROR KeyError: 'x' → retried [a1b2c3d4]\n";

/** What answers are made of: here the estimate must also be close. */
const typical = {
  "trace JSON": JSON.stringify(spans),
  "indented trace JSON": JSON.stringify(spans, null, 2),
  "JSON inside JSON": JSON.stringify({ input: JSON.stringify(spans.slice(0, 3)) }),
  "a rendered tree": repeat(row),
  "English prose": readFileSync(new URL("../../../../CONTRIBUTING.md", import.meta.url), "utf8"),
};

/** What may be in a trace besides: here the estimate must only not be too low. */
const unusual = {
  "a stack trace": repeat(
    'File "/app/agents/planner.py", line 42, in run\n    result = tool.call(args)\n',
  ),
  "hex ids": spans.map(({ span_id }) => span_id).join("\n"),
  UUIDs: Array.from({ length: 40 }, randomUUID).join(" "),
  base64: randomBytes(3000).toString("base64"),
  "capital letters": repeat("AKIAIOSFODNN7EXAMPLE ERROR QWXZPVKJ LMNOPQRS "),
  punctuation: repeat("!@#$%^&*()_+{}|:\"<>?[];',./~`-=\\"),
  "lines drawn with dashes": `${"-".repeat(80)}\n${"=".repeat(80)}\n${"─".repeat(80)}`,
  "white space": repeat("    \n\t\t  \n\n\n      x"),
  "other languages in Latin letters": repeat(
    "L'agente non è riuscito a completare l'attività. Työkalun haku epäonnistui eilen illalla. " +
      "Der Suchbegriff überschreitet die Höchstlänge. De zoekopdracht is gisteravond mislukt. " +
      "Narzędzie wyszukiwania zwróciło błąd. Arama aracı zaman aşımına uğradı. ",
  ),
  Chinese: repeat("这个智能体在昨天晚上运行失败了,因为搜索工具返回了超时错误。"),
  Japanese: repeat("検索ツールがタイムアウトを返したため、エージェントは失敗しました。"),
  Russian: repeat("Агент не смог завершить задачу, потому что поиск вернул ошибку. "),
  Arabic: repeat("فشل الوكيل الليلة الماضية لأن أداة البحث أعادت خطأ "),
  Hindi: repeat("एजेंट कल रात विफल हो गया क्योंकि खोज उपकरण ने त्रुटि लौटाई "),
  emoji: repeat("✅ done 🚀 🔥🔥 👩‍💻 failed ❌ 🇩🇪 "),
};

const all: Readonly<Record<string, string>> = { ...typical, ...unusual };

describe("estimateTokens against the real tokenizer", () => {
  test.each(Object.keys(all))("is never below it for %s", (name) => {
    const text = all[name] ?? "";
    expect(estimateTokens(text)).toBeGreaterThanOrEqual(encode(text).length);
  });

  test.each(Object.keys(typical))("is at most 60 %% above it for %s", (name) => {
    const text = all[name] ?? "";
    expect(estimateTokens(text)).toBeLessThanOrEqual(1.6 * encode(text).length);
  });
});

test("counting stops soon after the limit", () => {
  const long = repeat(row).repeat(1000);

  expect(estimateTokens(long, 100)).toBeGreaterThan(100);
  expect(estimateTokens(long, 100)).toBeLessThan(200);
});

test("parts never count less than the whole", () => {
  const text = typical["trace JSON"];
  const halves = [text.slice(0, 1000), text.slice(1000)];
  const sum = halves.reduce((tokens, half) => tokens + estimateTokens(half), 0);

  expect(sum).toBeGreaterThanOrEqual(estimateTokens(text));
});
