import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { BodyTooLargeError, readLimited } from "../body.js";
import { ExportError } from "./export-error.js";

/**
 * What one export may measure, both as sent and once inflated. The Python SDK sends up to 512 spans at
 * a time; an OpenTelemetry collector accepts 20 MiB.
 */
export const MAX_EXPORT_BYTES = 64 * 1024 * 1024;

const inflaters = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** Reads an export's body, inflated. Stops at {@link MAX_EXPORT_BYTES}, whatever the headers claim. */
export async function readBody(request: Request): Promise<Uint8Array> {
  const encoding = request.headers.get("content-encoding")?.toLowerCase() ?? "identity";
  const body = await readSent(request);
  if (encoding === "identity") return body;
  if (encoding !== "gzip" && encoding !== "deflate") {
    throw new ExportError(415, "Content-Encoding must be gzip, deflate or absent.");
  }

  try {
    return await inflaters[encoding](body, { maxOutputLength: MAX_EXPORT_BYTES });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge();
    throw new ExportError(400, `The body is not valid ${encoding} data.`);
  }
}

async function readSent(request: Request): Promise<Uint8Array> {
  try {
    return await readLimited(request, MAX_EXPORT_BYTES);
  } catch (error) {
    throw error instanceof BodyTooLargeError ? tooLarge() : error;
  }
}

function tooLarge(): ExportError {
  return new ExportError(
    413,
    `An export may be ${MAX_EXPORT_BYTES} bytes at most, inflated; send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE).`,
  );
}
