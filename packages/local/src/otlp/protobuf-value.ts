import { type Text, textToString } from "../store/index.js";
import { type AnyValue, attributeText } from "./any-value.js";
import { bytes, type Fields, fixed64, type Reader, readMessage, readText, varint } from "./wire.js";

interface KeyValue {
  key: Text;
  value: AnyValue;
}

/** An `AnyValue`. */
function readValue(reader: Reader): AnyValue {
  return readMessage<{ value: AnyValue }>(reader, { value: undefined }, valueFields).value;
}

/** A `KeyValue`. */
export function readKeyValue(reader: Reader): KeyValue {
  return readMessage<KeyValue>(reader, { key: "", value: undefined }, keyValueFields);
}

/** A `KeyValue` among the attributes of something. */
export function readAttribute(
  target: { readonly attributes: (readonly [Text, Text])[] },
  reader: Reader,
) {
  const { key, value } = readKeyValue(reader);
  target.attributes.push([key, attributeText(value)]);
}

const valueFields: Fields<{ value: AnyValue }> = {
  [bytes(1)]: (target, reader) => {
    target.value = readText(reader);
  },
  [varint(2)]: (target, reader) => {
    target.value = reader.bool();
  },
  [varint(3)]: (target, reader) => {
    target.value = BigInt(reader.int64().toString());
  },
  [fixed64(4)]: (target, reader) => {
    target.value = reader.double();
  },
  [bytes(5)]: (target, reader) => {
    target.value = readMessage(reader, [], listFields);
  },
  [bytes(6)]: (target, reader) => {
    target.value = readMessage(reader, new Map(), mapFields);
  },
  [bytes(7)]: (target, reader) => {
    target.value = Buffer.from(reader.bytes()).toString("base64");
  },
};

const listFields: Fields<AnyValue[]> = {
  [bytes(1)]: (list, reader) => {
    list.push(readValue(reader));
  },
};

const mapFields: Fields<Map<string, AnyValue>> = {
  [bytes(1)]: (map, reader) => {
    const { key, value } = readKeyValue(reader);
    map.set(textToString(key), value);
  },
};

const keyValueFields: Fields<KeyValue> = {
  [bytes(1)]: (target, reader) => {
    target.key = readText(reader);
  },
  [bytes(2)]: (target, reader) => {
    target.value = readValue(reader);
  },
};
