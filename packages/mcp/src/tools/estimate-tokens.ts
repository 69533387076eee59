/**
 * Pieces that `o200k_base` never merges across: words by case, numbers, white space, marks that
 * repeat, other marks, and text beyond ASCII.
 */
const PIECES =
  /[A-Z]?[a-z]+|[A-Z]+|[0-9]+|\s+|([^A-Za-z0-9\s])\1{3,}|[!-/:-@[-`{-~]+|[^\0-\x7f]|[\s\S]/gu;

/**
 * A cautious count of the tokens in `text`: not below what `o200k_base` counts for JSON, rendered
 * traces, code and keys, and usually within 60 % above it. Stops counting once past `limit`.
 */
export function estimateTokens(text: string, limit = Number.POSITIVE_INFINITY): number {
  let tokens = 0;

  for (const [piece, repeated] of text.matchAll(PIECES)) {
    tokens += repeated === undefined ? tokensIn(piece) : 2 + piece.length / 8;
    if (tokens > limit) break;
  }
  return Math.ceil(tokens);
}

function tokensIn(piece: string): number {
  const { length } = piece;
  const first = piece.charCodeAt(0);
  if (first > 0x7f) return tokensBeyondAscii(first);
  if (/^\s/.test(piece)) return tokensInSpace(piece);
  if (/^[0-9]/.test(piece)) return Math.ceil(length / 3);
  if (/^[A-Z]+$/.test(piece)) return Math.ceil(length / 2.2);
  if (/^[A-Za-z]/.test(piece)) return tokensInWord(piece);
  return /^[[\]{}",:\\]+$/.test(piece) ? Math.ceil(length / 3) : Math.ceil(length * 0.7);
}

/** A space before a word belongs to it; line breaks and indentation are tokens of their own. */
function tokensInSpace(piece: string): number {
  if (piece === " ") return 0;
  const breaks = piece.includes("\n") ? 1 : 0;
  return breaks + (/[^\n]/.test(piece) ? 1 : 0) + Math.floor(piece.length / 8);
}

/** Words are a token or two; letters that make no word (keys, ids) hardly compress. */
function tokensInWord(piece: string): number {
  const { length } = piece;
  const vowels = piece.match(/[aeiouyAEIOUY]/g)?.length ?? 0;
  return Math.ceil(length / (vowels * 3.4 < length ? 1.6 : 6));
}

/** Scripts of few letters compress, ideographs do not; symbols and emoji take several tokens. */
function tokensBeyondAscii(codeUnit: number): number {
  if (codeUnit >= 0xd800 && codeUnit <= 0xdfff) return 3;
  if (codeUnit < 0x2000) return 0.5;
  return codeUnit < 0x2e80 ? 2 : 1;
}
