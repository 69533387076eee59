import { MAX_EXPORT_BYTES } from "./body.js";
import { ExportError } from "./export-error.js";

/**
 * Bytes of exports that may be on their way to disk at a time, as sent; decoded and encoded they take
 * about three times as much memory. One export is always let in.
 */
export const MAX_WAITING_BYTES = 4 * MAX_EXPORT_BYTES;

/** A compressed body counts as this much more: traces compress about that well. */
const INFLATION = 8;

/** Lets exports in while there is room for them. */
export interface Admission {
  /**
   * Runs an export that has room.
   *
   * @throws {ExportError} 429 at once, before its body is read, when there is none.
   */
  admit<Result>(headers: Headers, run: () => Promise<Result>): Promise<Result>;
}

export function createAdmission(): Admission {
  let waitingBytes = 0;

  return {
    async admit(headers, run) {
      const bytes = expectedBytes(headers);
      if (waitingBytes > 0 && waitingBytes + bytes > MAX_WAITING_BYTES) {
        throw new ExportError(
          429,
          "Too many spans are waiting to be stored; send these again soon.",
        );
      }
      waitingBytes += bytes;
      try {
        return await run();
      } finally {
        waitingBytes -= bytes;
      }
    },
  };
}

/** The most that a body of which only the headers are known will take. */
function expectedBytes(headers: Headers): number {
  const declaredBytes = headers.get("content-length");
  if (declaredBytes === null) return MAX_EXPORT_BYTES;
  const factor = headers.has("content-encoding") ? INFLATION : 1;
  return Math.min(Number(declaredBytes) * factor, MAX_EXPORT_BYTES);
}
