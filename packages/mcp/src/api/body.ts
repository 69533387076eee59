import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { badResponse, responseTooLarge } from "./errors.js";

const GUNZIP_CHUNK_BYTES = 64 * 1024;

/**
 * Reads a whole body as the text that was sent. The bound holds for decoded bytes and while they
 * arrive, so neither an endless body nor a small one that unpacks to gigabytes fills the memory.
 *
 * @throws ApiError `response_too_large` or `bad_response`
 */
export async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<string> {
  const whole = declaredRoom(incoming, maxBytes);
  const chunks: Buffer[] = [];
  let byteLength = 0;

  for await (const chunk of decoded(incoming)) {
    if (byteLength + chunk.length > maxBytes) throw responseTooLarge(maxBytes);
    if (whole) chunk.copy(whole, byteLength);
    else chunks.push(chunk);
    byteLength += chunk.length;
  }

  const bytes = whole?.subarray(0, byteLength) ?? Buffer.concat(chunks, byteLength);
  if (!isUtf8(bytes)) throw badResponse("The response is not UTF-8 text.");
  return bytes.toString("utf8");
}

/** Room for a body of a known length, which then is not in memory twice. Node lets no more of it through. */
function declaredRoom({ headers }: IncomingMessage, maxBytes: number): Buffer | undefined {
  const declaredBytes = Number(headers["content-length"]);
  const isKnown = declaredBytes <= maxBytes && headers["content-encoding"] === undefined;
  return isKnown ? Buffer.allocUnsafe(declaredBytes) : undefined;
}

function decoded(incoming: IncomingMessage): Readable {
  const encoding = incoming.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return incoming;
  if (encoding !== "gzip")
    throw badResponse("The response has an encoding that was not asked for.");

  // The pipeline passes errors on to the reader of the last stream: there is nothing left to do here.
  return pipeline(incoming, createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES }), () => {});
}
