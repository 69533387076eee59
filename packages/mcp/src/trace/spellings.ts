/**
 * A text as spans may hold it, in lower case: as it is, and escaped as the JSON of a payload has it.
 * Python's `json.dumps` also escapes all that is not ASCII, and there `ü` and `Ü` have nothing in common:
 * of their combinations these are the usual ones.
 */
export function spellingsOf(text: string): readonly string[] {
  const lower = text.toLowerCase();
  const capitals = lower.replace(/(?<!\p{L})\p{L}/gu, toUpper);
  const cases = [text, lower, capitals, text.replace(/\p{L}/gu, toUpper)];
  const escaped = cases.map((each) => toAscii(escapeInJson(each)).toLowerCase());
  return [...new Set([lower, escapeInJson(lower), ...escaped])];
}

function escapeInJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function toAscii(text: string): string {
  return text.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The upper case of `ß` would be two letters, which are another text. */
function toUpper(letter: string): string {
  const upper = letter.toUpperCase();
  return upper.length === letter.length ? upper : letter;
}

/** Finds any of these spellings in any case. */
export function spellingsPattern(spellings: readonly string[]): RegExp {
  // A pattern instead of lower-casing what is searched: lower case can be longer, which would shift the offsets.
  const literals = spellings.map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(literals.join("|"), "gi");
}
