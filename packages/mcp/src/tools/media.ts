import { formatBytes } from "./text.js";

/**
 * Where media may begin: a data URL, or a run of base64 longer than any id, key or signature. The
 * look-behind keeps the search linear.
 */
const START =
  /data:([\w.+/-]{3,100})(?:;[\w=.+-]{1,100}){0,5};base64,|(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{400}/g;

const END = /[^A-Za-z0-9+/_=-]/g;

/**
 * Puts the kind and size of embedded media in its place: `[image/png, 12 KB]`. One screenshot is
 * worth more tokens than a whole answer may have, and says nothing as text.
 */
export function stubMedia(text: string): string {
  const pieces: string[] = [];
  let copiedTo = 0;

  for (const { 0: start, 1: mediaType, index } of text.matchAll(START)) {
    if (index < copiedTo) continue;
    const dataFrom = mediaType === undefined ? index : index + start.length;
    const end = endOfRun(text, dataFrom);
    if (mediaType === undefined && !isEncoded(start)) continue;
    pieces.push(text.slice(copiedTo, index), stub(mediaType ?? "base64", end - dataFrom));
    copiedTo = end;
  }
  return pieces.length === 0 ? text : pieces.join("") + text.slice(copiedTo);
}

/** One search for the first other character: matching megabytes overflows the engine's stack. */
function endOfRun(text: string, from: number): number {
  END.lastIndex = from;
  return END.exec(text)?.index ?? text.length;
}

/** Encoded bytes mix cases and digits; a long path or a line of dashes does not. */
function isEncoded(run: string): boolean {
  return /[A-Z]/.test(run) && /[a-z]/.test(run) && /[0-9]/.test(run);
}

function stub(kind: string, charCount: number): string {
  return `[${kind}, ${formatBytes((charCount * 3) / 4)}]`;
}
