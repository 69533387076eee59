import { expect, test } from "vitest";
import { MASK, maskSecrets } from "../../src/tools/mask.js";
import { namedSecrets, secrets } from "./secrets.js";

test.each(Object.entries(secrets))("masks a %s wherever it stands", (_, secret) => {
  expect(maskSecrets(secret)).toBe(MASK);
  expect(maskSecrets(`call(key='${secret}') failed`)).toBe(`call(key='${MASK}') failed`);
  expect(maskSecrets(JSON.stringify({ k: secret }))).not.toContain(secret.slice(0, 24));
});

test.each(Object.entries(namedSecrets))("masks a %s", (_, [text, secret]) => {
  expect(maskSecrets(text)).toContain(MASK);
  expect(maskSecrets(text)).not.toContain(secret);
});

test.each([
  "max_tokens: 4096, total_tokens: 123456, token_count=1500000",
  "the password: is wrong, and the secret to success is work",
  "openai.chat.completion for task-runner-12345678901234567890",
  '{"session_id": "4b1f0c6d9e5a4f7c8a2e3d1c0b9a8f7e"}',
  "trace 4b1f0c6d9e5a4f7c8a2e3d1c0b9a8f7e span a1b2c3d4e5f60718",
  "https://example.com/a/very/long/path/that/is/harmless?page=2",
])("leaves alone: %s", (text) => {
  expect(maskSecrets(text)).toBe(text);
});

test("masking twice is masking once", () => {
  const text = Object.values(namedSecrets).join("\n");

  expect(maskSecrets(maskSecrets(text))).toBe(maskSecrets(text));
});

test("10 MB of text take less than a second", () => {
  const texts = ["password ", "sk-", "a:", "Bearer ", "-----BEGIN PRIVATE KEY-----", "://a:"];
  for (const text of texts) {
    const long = text.repeat(10_000_000 / text.length);
    const startedAt = performance.now();
    maskSecrets(long);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  }
});
