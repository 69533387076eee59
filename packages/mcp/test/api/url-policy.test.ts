import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "../../src/api/errors.js";
import { normaliseBaseUrl, resolveTarget } from "../../src/api/url-policy.js";

const configured = {
  apiUrl: "https://api.agentops.ai",
  apiKey: "configured-key",
  sessionCookie: "cookie",
  allowedApiUrls: ["http://localhost:8000/"],
};

describe("a base URL", () => {
  test.each([
    ["https://api.agentops.ai", "https://api.agentops.ai"],
    [" https://API.agentops.ai/ \n", "https://api.agentops.ai"],
    ["http://localhost:8000///", "http://localhost:8000"],
    ["https://host:443/agentops/", "https://host/agentops"],
    ["http://2130706433/", "http://127.0.0.1"],
  ])("%j is called %s", (text, expected) => {
    expect(normaliseBaseUrl(text)).toBe(expected);
  });

  test.each([
    "",
    "api.agentops.ai",
    "localhost:8000",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://user:secret@host",
    "https://secret@host",
    "https://host/?key=secret",
    "https://host/#secret",
  ])("%j is refused, and not repeated", (text) => {
    expect(() => normaliseBaseUrl(text)).toThrow(
      expect.objectContaining({
        code: "invalid_url",
        message: expect.not.stringContaining("secret"),
        hint: expect.stringContaining("https://api.agentops.ai"),
      }),
    );
  });

  test("is normalised once and for all", () => {
    fc.assert(
      fc.property(fc.webUrl(), (url) => {
        const once = normaliseBaseUrl(url);
        expect(normaliseBaseUrl(once)).toBe(once);
        expect(new URL(`${once}/v4/traces`).origin).toBe(new URL(url).origin);
      }),
    );
  });
});

describe("a key that comes with the call", () => {
  test("may go anywhere, and the configured cookie does not go with it", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: false }), (apiUrl) => {
        const target = resolveTarget({ apiKey: " own-key\n", apiUrl }, configured);
        expect(target).toEqual({
          baseUrl: normaliseBaseUrl(apiUrl),
          apiKey: "own-key",
          sessionCookie: undefined,
        });
      }),
    );
  });

  test("goes to the configured URL where the call names none", () => {
    expect(resolveTarget({ apiKey: "own-key" }, configured)).toEqual({
      baseUrl: "https://api.agentops.ai",
      apiKey: "own-key",
      sessionCookie: "cookie",
    });
  });
});

describe("the configured key", () => {
  test.each([undefined, "https://api.agentops.ai/", "http://localhost:8000"])(
    "may go to %s",
    (apiUrl) => {
      const { apiKey, sessionCookie } = resolveTarget({ apiUrl }, configured);
      expect({ apiKey, sessionCookie }).toEqual({
        apiKey: "configured-key",
        sessionCookie: "cookie",
      });
    },
  );

  test.each([
    "http://api.agentops.ai",
    "https://api.agentops.ai:8443",
    "https://api.agentops.ai.evil.example",
    "https://api.agentops.ai/prefix",
    "http://localhost:8001",
    "http://127.0.0.1:8000",
  ])("may not go to %s", (apiUrl) => {
    expect(() => resolveTarget({ apiUrl }, configured)).toThrow(
      expect.objectContaining({
        code: "url_not_allowed",
        hint: expect.stringContaining("AGENTOPS_ALLOWED_API_URLS"),
      }),
    );
  });

  test("goes nowhere else, whatever the URL", () => {
    const allowed = [configured.apiUrl, ...configured.allowedApiUrls].map(normaliseBaseUrl);
    fc.assert(
      fc.property(fc.string(), fc.webUrl(), fc.boolean(), (noise, url, isUrl) => {
        try {
          const { baseUrl } = resolveTarget({ apiUrl: isUrl ? url : noise }, configured);
          expect(allowed).toContain(baseUrl);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});

test.each([undefined, "", "  "])(
  "no key at all (%j) is an error that says where to put one",
  (apiKey) => {
    expect(() => resolveTarget({ apiKey }, { ...configured, apiKey: "" })).toThrow(
      expect.objectContaining({
        code: "missing_api_key",
        hint: expect.stringContaining("AGENTOPS_API_KEY"),
      }),
    );
  },
);
