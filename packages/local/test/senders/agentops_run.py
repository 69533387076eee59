"""Records runs with AgentOps' Python SDK, which takes its settings from the environment.

Prints the trace ids: of a run that ends before the SDK can have its token, and of one after it, with the
link that the SDK logs for it.
"""

import sys
import time

import agentops
from agentops.client import Client
from agentops.helpers.dashboard import get_trace_url
from agentops.sdk.decorators import agent, operation, tool
from opentelemetry import trace

TOKEN_WAIT_SECONDS = 10


@tool(name="lookup_order")
def lookup_order(order_id: str) -> dict:
    return {"order": order_id, "status": "shipped"}


@tool(name="fetch_page")
def fetch_page(url: str) -> str:
    raise TimeoutError("timed out after 10 s")


@operation(name="ask_model")
def ask_model() -> None:
    tracer = trace.get_tracer("shop")
    with tracer.start_as_current_span("openai.chat.completion") as span:
        span.set_attribute("gen_ai.system", "OpenAI")
        span.set_attribute("gen_ai.request.model", "gpt-4o-mini")
        span.set_attribute("gen_ai.response.model", "gpt-4o-mini-2024-07-18")
        span.set_attribute("gen_ai.prompt.0.role", "user")
        span.set_attribute("gen_ai.prompt.0.content", "Where is my order?")
        span.set_attribute("gen_ai.usage.prompt_tokens", 1000)
        span.set_attribute("gen_ai.usage.completion_tokens", 500)


@agent(name="Support")
class Support:
    def work(self) -> None:
        lookup_order("10482")
        ask_model()
        try:
            fetch_page("https://example.com")
        except TimeoutError as error:
            print(f"gave up: {error}")


def run(name: str) -> trace.Span:
    context = agentops.start_trace(name, tags=["sender", name])
    print(f"{name} begins")
    Support().work()
    agentops.end_trace(context, "Success")
    return context.span


def trace_id(span: trace.Span) -> str:
    return format(span.get_span_context().trace_id, "032x")


agentops.init(auto_start_session=False, log_level="ERROR")
early = run("early")
deadline = time.monotonic() + TOKEN_WAIT_SECONDS
while not Client().get_current_jwt() and time.monotonic() < deadline:
    time.sleep(0.02)
late = run("late")
sys.__stdout__.write(f"\ntraces {trace_id(early)} {trace_id(late)}\nlink {get_trace_url(late)}\n")
