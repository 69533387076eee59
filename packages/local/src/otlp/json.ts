import { z } from "zod";
import {
  type ResourceRecord,
  type SpanGroup,
  type SpanRecord,
  spanKindNames,
  statusNames,
  type TextEntries,
} from "../store/index.js";
import { type AnyValue, attributeText } from "./any-value.js";
import { durationNano, type ExportRequest, exportRequest } from "./export-request.js";

/**
 * Decodes the JSON encoding of an OTLP `ExportTraceServiceRequest`: ids are hex, 64-bit integers are
 * strings by the specification and numbers in some SDKs, unknown fields are ignored.
 *
 * @throws {Error} when the bytes are not that message.
 */
export function decodeJson(body: Uint8Array): ExportRequest {
  return exportRequest(exportSchema.parse(JSON.parse(new TextDecoder().decode(body))));
}

const integer = z.union([z.int(), z.string().regex(/^-?\d+$/)]).transform(BigInt);
const unixNano = z
  .union([z.number().nonnegative(), z.string().regex(/^\d+$/)])
  .transform(BigInt)
  .default(0n);
const double = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number)]);
const text = z.string().default("");
const hexId = z.string().toLowerCase().default("");

const valueSchema: z.ZodType<AnyValue> = z.lazy(() =>
  z
    .object({
      stringValue: z.string().optional(),
      boolValue: z.boolean().optional(),
      intValue: integer.optional(),
      doubleValue: double.optional(),
      arrayValue: z.object({ values: z.array(valueSchema).default([]) }).optional(),
      kvlistValue: z.object({ values: keyValues }).optional(),
      bytesValue: z.string().optional(),
    })
    .transform(
      ({ arrayValue, kvlistValue, ...scalar }) =>
        arrayValue?.values ??
        (kvlistValue && new Map(kvlistValue.values)) ??
        scalar.stringValue ??
        scalar.boolValue ??
        scalar.intValue ??
        scalar.doubleValue ??
        scalar.bytesValue,
    ),
);

const keyValues = z
  .array(
    z
      .object({ key: z.string(), value: valueSchema.optional() })
      .transform(({ key, value }) => [key, value] as const),
  )
  .default([]);

const attributes = keyValues.transform(
  (entries): TextEntries => entries.map(([key, value]) => [key, attributeText(value)]),
);

const eventSchema = z.object({ timeUnixNano: unixNano, name: text, attributes });

const linkSchema = z.object({ traceId: hexId, spanId: hexId, traceState: text, attributes });

const spanSchema = z
  .object({
    traceId: hexId,
    spanId: hexId,
    parentSpanId: hexId,
    traceState: text,
    name: text,
    kind: z.int().default(0),
    startTimeUnixNano: unixNano,
    endTimeUnixNano: unixNano,
    attributes,
    events: z.array(eventSchema).default([]),
    links: z.array(linkSchema).default([]),
    status: z.object({ code: z.int().default(0), message: text }).optional(),
  })
  .transform(
    ({ kind, startTimeUnixNano, endTimeUnixNano, status, ...span }): SpanRecord => ({
      ...span,
      kind: spanKindNames[kind] ?? "Unspecified",
      startUnixNano: startTimeUnixNano,
      durationNano: durationNano(startTimeUnixNano, endTimeUnixNano),
      status: statusNames[status?.code ?? 0] ?? "Unset",
      statusMessage: status?.message ?? "",
    }),
  );

const resourceSchema = z
  .object({ attributes })
  .default({ attributes: [] })
  .transform(
    ({ attributes }): ResourceRecord => ({
      attributes,
      serviceName: attributes.find(([key]) => key === "service.name")?.[1] ?? "",
    }),
  );

const scopeSpansSchema = z.object({
  scope: z.object({ name: text, version: text }).default({ name: "", version: "" }),
  spans: z.array(spanSchema).default([]),
});

const resourceSpansSchema = z
  .object({ resource: resourceSchema, scopeSpans: z.array(scopeSpansSchema).default([]) })
  .transform(({ resource, scopeSpans }): SpanGroup[] =>
    scopeSpans.map((scope) => ({ resource, ...scope })),
  );

const exportSchema = z
  .object({ resourceSpans: z.array(resourceSpansSchema).default([]) })
  .transform(({ resourceSpans }) => resourceSpans.flat());
