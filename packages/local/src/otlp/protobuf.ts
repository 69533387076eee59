import {
  type ResourceRecord,
  type ScopeRecord,
  type SpanEventRecord,
  type SpanGroup,
  type SpanLinkRecord,
  type SpanRecord,
  spanKindNames,
  statusNames,
  textToString,
} from "../store/index.js";
import { attributeText } from "./any-value.js";
import { limitSpans } from "./export-limits.js";
import { durationNano, type ExportRequest, exportRequest, parentSpanId } from "./export-request.js";
import { readAttribute, readKeyValue } from "./protobuf-value.js";
import {
  bytes,
  type Fields,
  fixed64,
  type Reader,
  readFixed64,
  readHex,
  readMessage,
  readText,
  readWhole,
  varint,
} from "./wire.js";

/**
 * Decodes an OTLP `ExportTraceServiceRequest` (opentelemetry-proto 1.x). The messages are read off the
 * wire by hand because text then stays the bytes it came as, all the way to the disk.
 *
 * @throws {ExportError} when it is more than an export may be.
 * @throws {Error} when the bytes are not that message.
 */
export function decodeProtobuf(body: Uint8Array): ExportRequest {
  return exportRequest(readWhole(body, [], exportFields));
}

/** A record while its fields arrive. */
type Draft<Record> = {
  -readonly [Key in keyof Record]: Record[Key] extends readonly (infer Item)[]
    ? Item[]
    : Record[Key];
};

interface SpanDraft extends Draft<SpanRecord> {
  endUnixNano: bigint;
}

interface ResourceSpans {
  resource: ResourceRecord;
  readonly scopeSpans: Omit<SpanGroup, "resource">[];
}

const eventFields: Fields<Draft<SpanEventRecord>> = {
  [fixed64(1)]: (event, reader) => {
    event.timeUnixNano = readFixed64(reader);
  },
  [bytes(2)]: (event, reader) => {
    event.name = readText(reader);
  },
  [bytes(3)]: readAttribute,
};

const linkFields: Fields<Draft<SpanLinkRecord>> = {
  [bytes(1)]: (link, reader) => {
    link.traceId = readHex(reader);
  },
  [bytes(2)]: (link, reader) => {
    link.spanId = readHex(reader);
  },
  [bytes(3)]: (link, reader) => {
    link.traceState = readText(reader);
  },
  [bytes(4)]: readAttribute,
};

const statusFields: Fields<SpanDraft> = {
  [bytes(2)]: (span, reader) => {
    span.statusMessage = readText(reader);
  },
  [varint(3)]: (span, reader) => {
    span.status = statusNames[reader.int32()] ?? "Unset";
  },
};

const spanFields: Fields<SpanDraft> = {
  [bytes(1)]: (span, reader) => {
    span.traceId = readHex(reader);
  },
  [bytes(2)]: (span, reader) => {
    span.spanId = readHex(reader);
  },
  [bytes(3)]: (span, reader) => {
    span.traceState = readText(reader);
  },
  [bytes(4)]: (span, reader) => {
    span.parentSpanId = parentSpanId(readHex(reader));
  },
  [bytes(5)]: (span, reader) => {
    span.name = readText(reader);
  },
  [varint(6)]: (span, reader) => {
    span.kind = spanKindNames[reader.int32()] ?? "Unspecified";
  },
  [fixed64(7)]: (span, reader) => {
    span.startUnixNano = readFixed64(reader);
  },
  [fixed64(8)]: (span, reader) => {
    span.endUnixNano = readFixed64(reader);
  },
  [bytes(9)]: readAttribute,
  [bytes(11)]: (span, reader) => {
    span.events.push(
      readMessage(reader, { timeUnixNano: 0n, name: "", attributes: [] }, eventFields),
    );
  },
  [bytes(13)]: (span, reader) => {
    span.links.push(
      readMessage(reader, { traceId: "", spanId: "", traceState: "", attributes: [] }, linkFields),
    );
  },
  [bytes(15)]: (span, reader) => {
    readMessage(reader, span, statusFields);
  },
};

const scopeFields: Fields<Draft<ScopeRecord>> = {
  [bytes(1)]: (scope, reader) => {
    scope.name = readText(reader);
  },
  [bytes(2)]: (scope, reader) => {
    scope.version = readText(reader);
  },
};

const scopeSpansFields: Fields<Draft<Omit<SpanGroup, "resource">>> = {
  [bytes(1)]: (target, reader) => {
    target.scope = readMessage(reader, { name: "", version: "" }, scopeFields);
  },
  [bytes(2)]: (target, reader) => {
    limitSpans(++reader.spanCount);
    target.spans.push(readSpan(reader));
  },
};

const resourceFields: Fields<Draft<ResourceRecord>> = {
  [bytes(1)]: (resource, reader) => {
    const { key, value } = readKeyValue(reader);
    const text = attributeText(value);
    resource.attributes.push([key, text]);
    if (textToString(key) === "service.name") resource.serviceName = text;
  },
};

const resourceSpansFields: Fields<ResourceSpans> = {
  [bytes(1)]: (target, reader) => {
    target.resource = readMessage(reader, { serviceName: "", attributes: [] }, resourceFields);
  },
  [bytes(2)]: (target, reader) => {
    const scopeSpans = { scope: { name: "", version: "" }, spans: [] };
    target.scopeSpans.push(readMessage(reader, scopeSpans, scopeSpansFields));
  },
};

const exportFields: Fields<SpanGroup[]> = {
  [bytes(1)]: (groups, reader) => {
    const resource = { serviceName: "", attributes: [] };
    const read = readMessage<ResourceSpans>(
      reader,
      { resource, scopeSpans: [] },
      resourceSpansFields,
    );
    for (const scopeSpans of read.scopeSpans)
      groups.push({ resource: read.resource, ...scopeSpans });
  },
};

function readSpan(reader: Reader): SpanRecord {
  const draft: SpanDraft = {
    traceId: "",
    spanId: "",
    parentSpanId: "",
    traceState: "",
    name: "",
    kind: "Unspecified",
    startUnixNano: 0n,
    endUnixNano: 0n,
    durationNano: 0n,
    status: "Unset",
    statusMessage: "",
    attributes: [],
    events: [],
    links: [],
  };
  const span = readMessage(reader, draft, spanFields);
  span.durationNano = durationNano(span.startUnixNano, span.endUnixNano);
  return span;
}
