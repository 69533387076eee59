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
  const chunks: Buffer[] = [];
  let byteLength = 0;

  for await (const chunk of decoded(incoming)) {
    byteLength += chunk.length;
    if (byteLength > maxBytes) throw responseTooLarge(maxBytes);
    chunks.push(chunk);
  }

  const bytes = chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, byteLength);
  if (!isUtf8(bytes)) throw badResponse("The response is not UTF-8 text.");
  return bytes.toString("utf8");
}

function decoded(incoming: IncomingMessage): Readable {
  const encoding = incoming.headers["content-encoding"] ?? "identity";
  if (encoding === "identity") return incoming;
  if (encoding !== "gzip")
    throw badResponse("The response has an encoding that was not asked for.");

  // The pipeline passes errors on to the reader of the last stream: there is nothing left to do here.
  return pipeline(incoming, createGunzip({ chunkSize: GUNZIP_CHUNK_BYTES }), () => {});
}
