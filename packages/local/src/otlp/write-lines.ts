import {
  type SpanGroup,
  type SpanRecord,
  spanKindNames,
  statusNames,
  type TextEntries,
  textToString,
} from "../store/index.js";

/** No line gets longer than that by more than a span, so that any receiver takes each as one export. */
const MAX_LINE_CHARACTERS = 2 * 1024 * 1024;

/** Writes spans as OTLP/JSON, one `ExportTraceServiceRequest` a line: the OpenTelemetry Collector's file format. */
export function* writeLines(groups: readonly SpanGroup[]): Generator<string> {
  for (const { resource, scope, spans } of groups) {
    const origin = JSON.stringify({ attributes: keyValues(resource.attributes) });
    const recorder = JSON.stringify({
      name: textToString(scope.name),
      version: textToString(scope.version),
    });
    for (const some of chunks(spans.map(encodeSpan))) {
      yield `{"resourceSpans":[{"resource":${origin},"scopeSpans":[{"scope":${recorder},"spans":[${some.join()}]}]}]}\n`;
    }
  }
}

function* chunks(texts: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let characters = 0;
  for (const text of texts) {
    chunk.push(text);
    characters += text.length;
    if (characters < MAX_LINE_CHARACTERS) continue;
    yield chunk;
    chunk = [];
    characters = 0;
  }
  if (chunk.length > 0) yield chunk;
}

function encodeSpan(span: SpanRecord): string {
  return JSON.stringify({
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId,
    traceState: textToString(span.traceState),
    name: textToString(span.name),
    kind: spanKindNames.indexOf(span.kind),
    startTimeUnixNano: String(span.startUnixNano),
    endTimeUnixNano: String(span.startUnixNano + span.durationNano),
    attributes: keyValues(span.attributes),
    events: span.events.map(({ timeUnixNano, name, attributes }) => ({
      timeUnixNano: String(timeUnixNano),
      name: textToString(name),
      attributes: keyValues(attributes),
    })),
    links: span.links.map(({ traceId, spanId, traceState, attributes }) => ({
      traceId,
      spanId,
      traceState: textToString(traceState),
      attributes: keyValues(attributes),
    })),
    status: { code: statusNames.indexOf(span.status), message: textToString(span.statusMessage) },
  });
}

function keyValues(entries: TextEntries) {
  return entries.map(([key, value]) => ({
    key: textToString(key),
    value: { stringValue: textToString(value) },
  }));
}
