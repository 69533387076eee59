import { randomBytes } from "node:crypto";
import protobuf from "protobufjs";

/** Exports as OTLP/JSON writes them, and the same message in protobuf by a schema-driven encoder. */

export interface OtlpSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  kind?: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  traceState?: string;
  attributes?: KeyValue[];
  events?: { timeUnixNano: string; name: string; attributes?: KeyValue[] }[];
  links?: { traceId: string; spanId: string; traceState?: string; attributes?: KeyValue[] }[];
  status?: { code?: number; message?: string };
}

export interface KeyValue {
  key: string;
  value: Record<string, unknown>;
}

export interface OtlpExport {
  resourceSpans: {
    resource?: { attributes: KeyValue[] };
    scopeSpans: { scope?: { name?: string; version?: string }; spans: OtlpSpan[] }[];
  }[];
}

export const newTraceId = () => randomBytes(16).toString("hex");
export const newSpanId = () => randomBytes(8).toString("hex");

/** 2026-01-02T03:04:05.123456789Z */
export const START_UNIX_NANO = 1_767_323_045_123_456_789n;
const MS = 1_000_000n;

/** Starts `startMs` after {@link START_UNIX_NANO} and lasts `durationMs`. */
export function spanAt(
  startMs: number,
  durationMs: number,
  fields: Partial<OtlpSpan> & Pick<OtlpSpan, "traceId">,
): OtlpSpan {
  const start = START_UNIX_NANO + BigInt(startMs) * MS;
  return {
    spanId: newSpanId(),
    name: "work",
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + BigInt(durationMs) * MS),
    ...fields,
  };
}

export function exportOf(...spans: OtlpSpan[]): OtlpExport {
  return {
    resourceSpans: [
      {
        resource: { attributes: [text("service.name", "agentops")] },
        scopeSpans: [{ scope: { name: "agentops", version: "0.4.21" }, spans }],
      },
    ],
  };
}

export function text(key: string, stringValue: string): KeyValue {
  return { key, value: { stringValue } };
}

export function toJson(message: OtlpExport): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(message));
}

export function toProtobuf(message: OtlpExport): Uint8Array<ArrayBuffer> {
  const withBinaryIds = JSON.parse(JSON.stringify(message), (key, value) =>
    key.endsWith("Id") ? Buffer.from(value, "hex").toString("base64") : value,
  );
  return new Uint8Array(exportType.encode(exportType.fromObject(withBinaryIds)).finish());
}

/** A decoded `google.rpc.Status`. */
export function readStatus(body: Uint8Array): object {
  return schema.lookupType("Status").decode(body).toJSON();
}

/** A decoded `ExportTraceServiceResponse`. */
export function readExportResponse(body: Uint8Array): object {
  return schema.lookupType("ExportResponse").decode(body).toJSON();
}

/** The messages of opentelemetry-proto 1.x that traces use, by their field numbers. */
const { root: schema } = protobuf.parse(`
  syntax = "proto3";
  message Export { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
  message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4;
    string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10;
    repeated Event events = 11; uint32 dropped_events_count = 12;
    repeated Link links = 13; uint32 dropped_links_count = 14; SpanStatus status = 15;
    fixed32 flags = 16;
  }
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; }
  message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value {
      string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
      ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7;
    }
  }
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
  message SpanStatus { string message = 2; int32 code = 3; }
  message Status { int32 code = 1; string message = 2; }
  message ExportResponse { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
`);

const exportType = schema.lookupType("Export");

/** A field of protobuf that holds bytes. */
export function field(number: number, content: Uint8Array): Buffer {
  return Buffer.from(
    protobuf.Writer.create()
      .uint32((number << 3) | 2)
      .bytes(content)
      .finish(),
  );
}

export function many(content: Buffer, count: number): Buffer {
  return Buffer.alloc(content.length * count, content);
}

export const empties = (number: number, count: number) =>
  many(field(number, new Uint8Array()), count);
