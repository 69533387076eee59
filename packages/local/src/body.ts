/** A body goes past the limit that was set for it. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/**
 * Reads a whole body.
 *
 * @throws {BodyTooLargeError} as soon as it is known to be longer than `maxBytes`.
 */
export async function readLimited(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declaredBytes = request.headers.get("content-length");
  if (Number(declaredBytes) > maxBytes) throw new BodyTooLargeError();
  // Node reads no more than the declared length, and at once: as a stream it takes five times the CPU.
  if (declaredBytes !== null) return new Uint8Array(await request.arrayBuffer());

  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new BodyTooLargeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
