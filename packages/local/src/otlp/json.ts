import { z } from "zod";
import {
  type ResourceRecord,
  type SpanRecord,
  spanKindNames,
  statusNames,
  type TextEntries,
} from "../store/index.js";
import { type AnyValue, attributeText } from "./any-value.js";
import { limitSpans, limitValues } from "./export-limits.js";
import { durationNano, type ExportRequest, exportRequest, parentSpanId } from "./export-request.js";

/**
 * Decodes the JSON encoding of an OTLP `ExportTraceServiceRequest`: ids are hex, 64-bit integers are
 * strings by the specification and numbers in some SDKs, unknown fields are ignored, and a field that
 * is null or absent has its default.
 *
 * @throws {ExportError} when it is more than an export may be.
 * @throws {Error} when the bytes are not that message.
 */
export function decodeJson(body: Uint8Array): ExportRequest {
  limitValues(countValues(body));
  const groups = exportSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  limitSpans(groups.reduce((sum, { spans }) => sum + spans.length, 0));
  return exportRequest(groups.map((group) => ({ ...group, spans: group.spans.map(readSpan) })));
}

/** A number of any size: JavaScript's exporter writes every whole number, 1e21 too, as an integer. */
const integer = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+$/)
      .transform(BigInt),
  ])
  .transform((value) => (Number.isInteger(value) ? BigInt(value) : value));
const unixNano = orElse(
  z
    .union([z.number().nonnegative().refine(Number.isInteger), z.string().regex(/^\d+$/)])
    .transform(BigInt),
  0n,
);
const double = z.union([z.number(), z.enum(["NaN", "Infinity", "-Infinity"]).transform(Number)]);
const text = orElse(z.string(), "");
const hexId = orElse(z.string().toLowerCase(), "");
const enumNumber = orElse(z.int(), 0);

const valueSchema: z.ZodType<AnyValue> = z.lazy(() =>
  z
    .object({
      stringValue: z.string().nullish(),
      boolValue: z.boolean().nullish(),
      intValue: integer.nullish(),
      doubleValue: double.nullish(),
      arrayValue: z.object({ values: listOf(valueSchema) }).nullish(),
      kvlistValue: z.object({ values: keyValues }).nullish(),
      bytesValue: z.string().nullish(),
    })
    .transform(
      ({ arrayValue, kvlistValue, ...scalar }) =>
        arrayValue?.values ??
        (kvlistValue && new Map(kvlistValue.values)) ??
        scalar.stringValue ??
        scalar.boolValue ??
        scalar.intValue ??
        scalar.doubleValue ??
        scalar.bytesValue ??
        undefined,
    ),
);

const keyValues = listOf(
  z
    .object({ key: text, value: orElse(valueSchema, undefined) })
    .transform(({ key, value }) => [key, value] as const),
);

const attributes = keyValues.transform(
  (entries): TextEntries => entries.map(([key, value]) => [key, attributeText(value)]),
);

const eventSchema = z.object({ timeUnixNano: unixNano, name: text, attributes });

const linkSchema = z.object({ traceId: hexId, spanId: hexId, traceState: text, attributes });

const spanSchema = z
  .object({
    traceId: hexId,
    spanId: hexId,
    parentSpanId: hexId.transform(parentSpanId),
    traceState: text,
    name: text,
    kind: enumNumber,
    startTimeUnixNano: unixNano,
    endTimeUnixNano: unixNano,
    attributes,
    events: listOf(eventSchema),
    links: listOf(linkSchema),
    status: orElse(z.object({ code: enumNumber, message: text }), { code: 0, message: "" }),
  })
  .transform(
    ({ kind, startTimeUnixNano, endTimeUnixNano, status, ...span }): SpanRecord => ({
      ...span,
      kind: spanKindNames[kind] ?? "Unspecified",
      startUnixNano: startTimeUnixNano,
      durationNano: durationNano(startTimeUnixNano, endTimeUnixNano),
      status: statusNames[status.code] ?? "Unset",
      statusMessage: status.message,
    }),
  );

const rejected = spanSchema.parse({});

/** A malformed span becomes one without ids, which is rejected by itself. */
function readSpan(span: unknown): SpanRecord {
  return spanSchema.safeParse(span).data ?? rejected;
}

const resourceSchema = orElse(z.object({ attributes }), { attributes: [] }).transform(
  ({ attributes }): ResourceRecord => ({
    attributes,
    serviceName: attributes.find(([key]) => key === "service.name")?.[1] ?? "",
  }),
);

const scopeSpansSchema = z.object({
  scope: orElse(z.object({ name: text, version: text }), { name: "", version: "" }),
  spans: orElse(z.array(z.unknown()), []),
});

const resourceSpansSchema = z
  .object({ resource: resourceSchema, scopeSpans: listOf(scopeSpansSchema) })
  .transform(({ resource, scopeSpans }) => scopeSpans.map((scope) => ({ resource, ...scope })));

const exportSchema = z
  .object({ resourceSpans: listOf(resourceSpansSchema) })
  .transform(({ resourceSpans }) => resourceSpans.flat());

/**
 * An object is what a message is in protobuf. Lists are none there, and up to two of them go with an object
 * here; what has more of them has them for their own sake.
 */
function countValues(json: Uint8Array): number {
  let objects = 0;
  let lists = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === OPENING_BRACE) objects++;
    else if (byte === OPENING_BRACKET) lists++;
  }
  return Math.max(objects, lists / 2);
}

const [QUOTE, BACKSLASH, OPENING_BRACE, OPENING_BRACKET] = Buffer.from('"\\{[');

/** Where the closing quote is, or the text ends. */
function endOfString(json: Uint8Array, start: number): number {
  for (let at = start + 1; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return json.length;
}

function orElse<Schema extends z.ZodType, Default>(schema: Schema, fallback: Default) {
  return schema.nullish().transform((value) => value ?? fallback);
}

/** Stops at the first item that is none: of a million, each would have an error of its own in memory. */
function listOf<Item extends z.ZodType>(item: Item) {
  const list = z.array(z.unknown()).transform((values, context): z.output<Item>[] => {
    const items: z.output<Item>[] = [];
    for (const value of values) {
      const { data, error } = item.safeParse(value);
      if (error) {
        context.addIssue({ code: "custom", message: "An item is not of its list." });
        return z.NEVER;
      }
      items.push(data);
    }
    return items;
  });
  return orElse(list, [] as z.output<Item>[]);
}
