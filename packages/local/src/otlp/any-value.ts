import { type Text, textToString, Utf8 } from "../store/index.js";

/** An OTLP `AnyValue`, of either encoding. Bytes are already base64 text, the only form we keep. */
export type AnyValue =
  | Text
  | boolean
  | bigint
  | number
  | undefined
  | readonly AnyValue[]
  | ReadonlyMap<string, AnyValue>;

/**
 * An attribute value as the text AgentOps' collector stores: a string as it is, numbers and booleans
 * as written in JSON, lists and maps as compact JSON.
 */
export function attributeText(value: AnyValue): Text {
  return isText(value) ? value : value === undefined ? "" : json(value);
}

function json(value: AnyValue): string {
  if (value === undefined) return "null";
  if (isText(value)) return JSON.stringify(textToString(value));
  if (isList(value)) return `[${value.map(json).join(",")}]`;
  if (typeof value === "object") {
    return `{${[...value].map(([key, item]) => `${JSON.stringify(key)}:${json(item)}`).join(",")}}`;
  }
  return String(value);
}

function isText(value: AnyValue): value is Text {
  return typeof value === "string" || value instanceof Utf8;
}

function isList(value: AnyValue): value is readonly AnyValue[] {
  return Array.isArray(value);
}
