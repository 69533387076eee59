/** What stands in the place of a secret. */
export const MASK = "[masked]";

/**
 * Keys and tokens that name themselves by their prefix. Each is as long as the real ones are, so that
 * prose about keys is left alone.
 */
const KEY_SHAPES: readonly string[] = [
  "sk-[A-Za-z0-9_-]{20,}", // OpenAI, Anthropic, OpenRouter, DeepSeek, Langfuse
  "pk-lf-[0-9a-f-]{36}", // Langfuse
  "gsk_[A-Za-z0-9]{20,}", // Groq
  "xai-[A-Za-z0-9]{20,}", // xAI
  "pplx-[A-Za-z0-9]{20,}", // Perplexity
  "hf_[A-Za-z0-9]{20,}", // Hugging Face
  "r8_[A-Za-z0-9]{20,}", // Replicate
  "tvly-[A-Za-z0-9-]{16,}", // Tavily
  "lsv2_[a-z]{2}_[A-Za-z0-9_]{20,}", // LangSmith
  "(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}", // AWS
  "AIza[A-Za-z0-9_-]{35}", // Google API
  "ya29\\.[A-Za-z0-9_-]{20,}", // Google OAuth
  "GOCSPX-[A-Za-z0-9_-]{20,}", // Google client secret
  "gh[pousr]_[A-Za-z0-9]{30,}", // GitHub
  "github_pat_[A-Za-z0-9_]{22,}", // GitHub, fine-grained
  "glpat-[A-Za-z0-9_-]{20,}", // GitLab
  "xox[abeoprs]-[A-Za-z0-9-]{10,}", // Slack
  "xapp-[A-Za-z0-9-]{20,}", // Slack app
  "hooks\\.slack\\.com/services/[A-Za-z0-9/]{20,}", // Slack webhook
  "(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}", // Stripe
  "whsec_[A-Za-z0-9+/=]{20,}", // Stripe webhook
  "SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}", // SendGrid
  "(?:AC|SK)[0-9a-f]{32}", // Twilio
  "npm_[A-Za-z0-9]{30,}", // npm
  "pypi-[A-Za-z0-9_-]{30,}", // PyPI
  "dapi[0-9a-f]{32}", // Databricks
  "do[opr]_v1_[0-9a-f]{40,}", // DigitalOcean
  "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", // Shopify
  "(?:secret|ntn)_[A-Za-z0-9]{40,}", // Notion
  "lin_api_[A-Za-z0-9]{30,}", // Linear
  "pul-[0-9a-f]{40}", // Pulumi
  "\\d{8,10}:AA[A-Za-z0-9_-]{30,}", // Telegram bot
  "eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}", // JSON Web Token
  "-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?:[^-]|-(?!----)){0,}(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?",
];

/** Repetitions are bounded: over megabytes an unbounded one overflows the engine's stack. */
const MAX_KEY_CHARS = 8_000;

const KEYS = new RegExp(
  `(?<![A-Za-z0-9])(?:${KEY_SHAPES.join("|").replaceAll(",}", `,${MAX_KEY_CHARS}}`)})`,
  "g",
);

/** `Bearer …` and `Basic …`, in headers and in code. */
const AUTHORIZATION = /\b(Bearer|Basic)\s{1,5}[A-Za-z0-9._~+/=-]{12,8000}/gi;

/** The password in `scheme://user:password@host`. */
const URL_PASSWORD = /(:\/\/[^\s:/@"'\\]{0,100}:)[^\s/@"'\\]{1,200}(?=@)/g;

/** `api_key=…`, `"password": "…"`, and the same inside JSON that was written into a JSON text. */
const NAMED_VALUE =
  /((?:api[_-]?key|access[_-]?key|account[_-]?key|secret|passw(?:or)?d|passphrase|(?:access|refresh|auth|id|session)[_-]?token|private[_-]?key|client[_-]?secret|signature|cookie)["'\\]{0,4}\s{0,3}[:=]\s{0,3}["'\\]{0,4})(?![\s"'\\[{])[^\s"'\\,;&)}]{6,8000}/gi;

/** Replaces what looks like a key, a token or a password. A rendered view must never repeat one. */
export function maskSecrets(text: string): string {
  return text
    .replace(KEYS, MASK)
    .replace(AUTHORIZATION, `$1 ${MASK}`)
    .replace(URL_PASSWORD, `$1${MASK}`)
    .replace(NAMED_VALUE, `$1${MASK}`);
}
