import { createGunzip, createInflate } from "node:zlib";
import { NoRoomError, type TakeRoom } from "../admission.js";
import { BodyTooLargeError, readLimited } from "../body.js";
import { ExportError } from "./export-error.js";
import { MAX_EXPORT_BYTES, tooLarge } from "./export-limits.js";

const inflaters = { gzip: createGunzip, deflate: createInflate };

/** Inflated in one go: an export of 512 spans takes some 16. */
const INFLATED_CHUNK_BYTES = 128 * 1024;

/** Reads an export's body, inflated. Stops at {@link MAX_EXPORT_BYTES}, whatever the headers claim. */
export async function readBody(request: Request, takeRoom: TakeRoom): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  const body = await readSent(request, takeRoom);
  if (encoding === "identity") return body;
  if (encoding !== "gzip" && encoding !== "deflate") {
    throw new ExportError(415, "Content-Encoding must be gzip, deflate or absent.");
  }

  try {
    const inflater = inflaters[encoding]({ chunkSize: INFLATED_CHUNK_BYTES });
    inflater.end(body);
    return await inflated(inflater, takeRoom);
  } catch (error) {
    if (error instanceof ExportError || error instanceof NoRoomError) throw error;
    throw new ExportError(400, `The body is not valid ${encoding} data.`);
  }
}

async function inflated(
  stream: AsyncIterable<Uint8Array>,
  takeRoom: TakeRoom,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > MAX_EXPORT_BYTES) throw tooManyBytes();
    takeRoom(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

async function readSent(request: Request, takeRoom: TakeRoom): Promise<Uint8Array> {
  try {
    return await readLimited(request, { maxBytes: MAX_EXPORT_BYTES, takeRoom });
  } catch (error) {
    throw error instanceof BodyTooLargeError ? tooManyBytes() : error;
  }
}

function tooManyBytes(): ExportError {
  return tooLarge(`be ${MAX_EXPORT_BYTES} bytes, inflated,`);
}
