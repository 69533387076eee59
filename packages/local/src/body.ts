import type { TakeRoom } from "./admission.js";

/** A body goes past the limit that was set for it. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/** The sender left, or took too long, before its body was there. */
export class BodyBrokenOffError extends Error {
  override readonly name = "BodyBrokenOffError";
}

/** Read and dropped of a body that is too large: many clients read no answer before all is sent. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

interface BodyLimit {
  readonly maxBytes: number;
  /** Told of bytes before they are held, as soon as it is known that they come. */
  readonly takeRoom?: TakeRoom | undefined;
}

/**
 * Reads a whole body. Node hands over no more of it than its declared length, and at once; as a stream,
 * which is how a body without one is read, it takes five times the CPU.
 *
 * @throws {BodyTooLargeError} when it is longer than `maxBytes`.
 * @throws {BodyBrokenOffError} when it does not come to its end.
 */
export async function readLimited(
  request: Request,
  { maxBytes, takeRoom }: BodyLimit,
): Promise<Uint8Array> {
  const declaredBytes = request.headers.get("content-length");
  if (declaredBytes === null) return await readChunks(request, { maxBytes, takeRoom });
  if (Number(declaredBytes) > maxBytes) return await readChunks(request, { maxBytes: 0 });
  takeRoom?.(Number(declaredBytes));
  return new Uint8Array(await unlessBrokenOff(request.arrayBuffer()));
}

async function readChunks(
  request: Request,
  { maxBytes, takeRoom }: BodyLimit,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = (request.body ?? new Blob([]).stream()).getReader();
  while (bytes <= maxBytes + MAX_DRAINED_BYTES) {
    const { value: chunk } = await unlessBrokenOff(reader.read());
    if (!chunk) break;
    bytes += chunk.length;
    if (bytes > maxBytes) continue;
    takeRoom?.(chunk.length);
    chunks.push(chunk);
  }
  if (bytes > maxBytes) throw new BodyTooLargeError();
  return Buffer.concat(chunks, bytes);
}

async function unlessBrokenOff<Result>(reading: Promise<Result>): Promise<Result> {
  try {
    return await reading;
  } catch (cause) {
    throw new BodyBrokenOffError("The body broke off.", { cause });
  }
}
