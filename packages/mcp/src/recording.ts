import { isRecord } from "./trace/json.js";

/**
 * What clients ask first, and what the server says to that: who it is and what it offers. The build asks
 * the server itself (`record-opening.js`).
 */
export type Recording = readonly {
  readonly method: string;
  readonly params: Fields;
  readonly result: Fields;
}[];

type Fields = Readonly<Record<string, unknown>>;

/** Where clients of stateless protocol versions say with each question which one they speak. */
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";

/** The result to a question as it was recorded; undefined where only the server knows. */
export function recordedResult(
  recording: Recording,
  method: unknown,
  params: unknown = {},
): Fields | undefined {
  if (!isRecord(params)) return undefined;
  const version = versionOf(params);
  return recording.find(
    (recorded) =>
      recorded.method === method &&
      versionOf(recorded.params) === version &&
      holds(params, recorded.params) &&
      Object.keys(params).every((key) => key === "_meta" || key in recorded.params),
  )?.result;
}

function versionOf({ protocolVersion, _meta }: Fields): unknown {
  return (isRecord(_meta) ? _meta[VERSION_KEY] : undefined) ?? protocolVersion;
}

/**
 * Whether it has all that was recorded, whatever it says there. What was recorded empty, such as the
 * client's capabilities, holds objects by name.
 */
function holds(value: unknown, recorded: unknown): boolean {
  if (!isRecord(recorded)) return typeof value === typeof recorded;
  if (!isRecord(value)) return false;
  const fields = Object.entries(recorded);
  if (fields.length === 0) return Object.values(value).every(isRecord);
  return fields.every(([key, each]) => holds(value[key], each));
}
