import protobuf from "protobufjs/minimal.js";
import type { ExportError } from "./export-error.js";
import type { ExportRequest } from "./export-request.js";
import { decodeJson } from "./json.js";
import { decodeProtobuf } from "./protobuf.js";

/** One of the two encodings of OTLP/HTTP. A response is in the encoding of its request. */
export interface Encoding {
  readonly contentType: string;
  decode(body: Uint8Array): ExportRequest;
  /** An `ExportTraceServiceResponse`. */
  encodeResponse(rejectedSpanCount: number): Uint8Array<ArrayBuffer>;
  /** A `google.rpc.Status`. */
  encodeError(error: ExportError): Uint8Array<ArrayBuffer>;
}

const rejection =
  "Rejected: trace and span ids must be 16 and 8 bytes, not all zero, times before the year 2262, fields as OTLP has them.";

const protobufEncoding: Encoding = {
  contentType: "application/x-protobuf",
  decode: decodeProtobuf,

  encodeResponse(rejectedSpanCount) {
    const writer = protobuf.Writer.create();
    if (rejectedSpanCount > 0) {
      const partialSuccess = writer.uint32(bytesTag(1)).fork();
      partialSuccess.uint32(varintTag(1)).int64(rejectedSpanCount);
      partialSuccess.uint32(bytesTag(2)).string(rejection).ldelim();
    }
    return new Uint8Array(writer.finish());
  },

  encodeError({ status, message }) {
    const writer = protobuf.Writer.create();
    writer.uint32(varintTag(1)).int32(rpcCodes[status]).uint32(bytesTag(2)).string(message);
    return new Uint8Array(writer.finish());
  },
};

const jsonEncoding: Encoding = {
  contentType: "application/json",
  decode: decodeJson,

  encodeResponse(rejectedSpanCount) {
    return encodeJson(
      rejectedSpanCount > 0
        ? { partialSuccess: { rejectedSpans: `${rejectedSpanCount}`, errorMessage: rejection } }
        : {},
    );
  },

  encodeError({ status, message }) {
    return encodeJson({ code: rpcCodes[status], message });
  },
};

/** Undefined for a content type that is not OTLP's. */
export function encodingOf(contentType: string | null): Encoding | undefined {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase();
  return [protobufEncoding, jsonEncoding].find((encoding) => encoding.contentType === mediaType);
}

/** How to answer a request whose own encoding is unknown. */
export const fallbackEncoding = jsonEncoding;

/** `google.rpc.Code`: invalid argument, unauthenticated, resource exhausted, unavailable. */
const rpcCodes = { 400: 3, 401: 16, 413: 8, 415: 3, 429: 8, 503: 14 } as const;

const varintTag = (number: number) => number << 3;
const bytesTag = (number: number) => (number << 3) | 2;

function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}
