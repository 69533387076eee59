import { z } from "zod";

/** A line of a file of OTLP/JSON. */
export interface Line {
  /** From 1. */
  readonly number: number;
  /** Without its end; undefined if it is too long to be read. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined;
}

const LINE_FEED = 0x0a;

/** Splits bytes into lines; never holds more than one chunk and `maxBytes` of a line. */
export async function* readLines(
  source: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Line> {
  let number = 1;
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array) => {
    bytes += part.length;
    if (bytes <= maxBytes) parts.push(part);
    else parts = [];
  };
  const take = (): Line => {
    const line = { number: number++, bytes: bytes > maxBytes ? undefined : Buffer.concat(parts) };
    parts = [];
    bytes = 0;
    return line;
  };

  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (bytes > 0) yield take();
}

const exportSchema = z
  .object({
    resourceSpans: z.array(
      z.object({
        scopeSpans: z.array(z.object({ spans: z.array(z.unknown()).nullish() })).nullish(),
      }),
    ),
  })
  .transform(({ resourceSpans }) =>
    resourceSpans
      .flatMap(({ scopeSpans }) => scopeSpans ?? [])
      .reduce((count, { spans }) => count + (spans?.length ?? 0), 0),
  );

/** How many spans a line holds; undefined if it is no `ExportTraceServiceRequest`. */
export function spanCount(line: string): number | undefined {
  try {
    return exportSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
