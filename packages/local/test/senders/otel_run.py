"""Records a run with the OpenTelemetry SDK by the GenAI conventions, then a metric and a log record.

Arguments: server URL. Prints the trace id and what each exporter reported.
"""

import json
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

url = sys.argv[1]
resource = Resource.create({"service.name": "shop"})

traces = TracerProvider(resource=resource)
exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces", compression=Compression.Gzip)
traces.add_span_processor(BatchSpanProcessor(exporter))
with traces.get_tracer("shop").start_as_current_span("chat gpt-4o-mini") as span:
    span.set_attribute("gen_ai.operation.name", "chat")
    span.set_attribute("gen_ai.provider.name", "openai")
    span.set_attribute("gen_ai.request.model", "gpt-4o-mini")
    span.set_attribute("gen_ai.usage.input_tokens", 1000)
    span.set_attribute("gen_ai.usage.output_tokens", 500)
    span.set_attribute("gen_ai.usage.cache_read.input_tokens", 400)
    messages = [{"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}]
    span.set_attribute("gen_ai.input.messages", json.dumps(messages))
    span.set_attribute("shop.shelves", [1, 2, 3])
traces_sent = traces.force_flush()

reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{url}/v1/metrics"))
metrics = MeterProvider(metric_readers=[reader], resource=resource)
metrics.get_meter("shop").create_counter("orders").add(1)
metrics_sent = metrics.force_flush()
metrics.shutdown()

trace_id = format(span.get_span_context().trace_id, "032x")
print(trace_id, traces_sent, metrics_sent)
