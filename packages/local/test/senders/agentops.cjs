// Records a run with AgentOps' TypeScript SDK. Arguments: server URL, API key. Prints `trace <id>`, among
// what the SDK prints.
const { SpanStatusCode, trace } = require("@opentelemetry/api");
const { agentops } = require("agentops");

const [url, apiKey] = process.argv.slice(2);

async function main() {
  await agentops.init({ apiKey, apiEndpoint: url, otlpEndpoint: url, serviceName: "shop" });
  const tracer = trace.getTracer("shop");
  const traceId = tracer.startActiveSpan("checkout.agent", (root) => {
    tracer.startActiveSpan("openai.chat.completion", (chat) => {
      chat.setAttributes({
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.usage.prompt_tokens": 1000,
        "gen_ai.usage.completion_tokens": 500,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.streaming": false,
      });
      chat.setStatus({ code: SpanStatusCode.OK });
      chat.end();
    });
    root.end();
    return root.spanContext().traceId;
  });
  await agentops.shutdown();
  process.stdout.write(`\ntrace ${traceId}\n`);
}

void main();
