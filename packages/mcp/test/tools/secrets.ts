/**
 * Made-up secrets in the shapes of real ones. Put together here, so that no scanner takes this file
 * for a leak.
 */
const hex = (length: number) => "0123456789abcdef".repeat(8).slice(0, length);
const mixed = (length: number) => "Zx8Kq2Lm9Pw4Rt6Vb1Nc".repeat(8).slice(0, length);

export const secrets: Readonly<Record<string, string>> = {
  "OpenAI key": `sk-${mixed(48)}`,
  "OpenAI project key": `sk-proj-${mixed(40)}_${mixed(20)}`,
  "Anthropic key": `sk-ant-api03-${mixed(60)}-${mixed(20)}AA`,
  "Groq key": `gsk_${mixed(52)}`,
  "xAI key": `xai-${mixed(60)}`,
  "Perplexity key": `pplx-${mixed(48)}`,
  "Hugging Face token": `hf_${mixed(34)}`,
  "Replicate token": `r8_${mixed(37)}`,
  "Tavily key": `tvly-${mixed(32)}`,
  "LangSmith key": `lsv2_pt_${hex(32)}_${hex(10)}`,
  "AWS access key": `AKIA${mixed(40).toUpperCase().slice(0, 16)}`,
  "Google API key": `AIza${mixed(35)}`,
  "Google OAuth token": `ya29.${mixed(60)}`,
  "GitHub token": `ghp_${mixed(36)}`,
  "GitHub fine-grained token": `github_pat_${mixed(22)}_${mixed(59)}`,
  "GitLab token": `glpat-${mixed(20)}`,
  "Slack token": `xoxb-${hex(12)}-${mixed(24)}`,
  "Slack webhook": `hooks.slack.com/services/${mixed(9)}/${mixed(9)}/${mixed(24)}`,
  "Stripe key": `sk_live_${mixed(24)}`,
  "SendGrid key": `SG.${mixed(22)}.${mixed(43)}`,
  "Twilio key": `SK${hex(32)}`,
  "npm token": `npm_${mixed(36)}`,
  "PyPI token": `pypi-${mixed(80)}`,
  "Databricks token": `dapi${hex(32)}`,
  "DigitalOcean token": `dop_v1_${hex(64)}`,
  "Shopify token": `shpat_${hex(32)}`,
  "Telegram bot token": `1234567890:AA${mixed(33)}`,
  "JSON Web Token": `eyJ${mixed(20)}.eyJ${mixed(60)}.${mixed(43)}`,
  "private key": `-----BEGIN RSA PRIVATE KEY-----\n${mixed(64)}\n${mixed(64)}\n-----END RSA PRIVATE KEY-----`,
};

/** Secrets that only their surroundings give away: the text around them, and the part to be masked. */
export const namedSecrets: Readonly<Record<string, readonly [text: string, secret: string]>> = {
  "bearer token": [`Authorization: Bearer ${mixed(32)}`, mixed(32)],
  "basic authorization": [`authorization: basic ${mixed(24)}==`, mixed(24)],
  "password in a URL": [`postgres://app:${mixed(14)}@db.internal:5432/x`, mixed(14)],
  "UUID key in an environment": [
    "AGENTOPS_API_KEY=6b7a1469-bdcb-4d47-85ba-c4824bc8486e",
    "6b7a1469-bdcb-4d47-85ba-c4824bc8486e",
  ],
  "password in JSON": ['{"user": "a", "password": "correct-horse"}', "correct-horse"],
  "password in JSON in JSON": ['{\\"password\\": \\"correct-horse\\"}', "correct-horse"],
  "secret in a query": [`https://x.test/cb?client_secret=${mixed(20)}&state=1`, mixed(20)],
  "AWS secret key": [`aws_secret_access_key = ${mixed(40)}`, mixed(40)],
  "Azure connection string": [`AccountName=a;AccountKey=${mixed(60)}==;`, mixed(60)],
};
