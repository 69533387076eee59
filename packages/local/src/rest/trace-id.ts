/** As traces have it. */
export const hexTraceId = /^[0-9a-f]{32}$/;
const MAX_TRACE_ID = 2n ** 128n - 1n;

/**
 * The id of a trace that has a log, as the traces themselves have it: 32 hex digits. The SDK uploads
 * under the same number in decimal, everyone reads by hex, and 32 digits without a letter may be either:
 * then the side it came from decides. Anything else is a name of its own.
 */
export function logTraceId(text: string, digitsAre: "decimal" | "hex"): string {
  const lower = text.toLowerCase();
  const isHex = hexTraceId.test(lower) && (digitsAre === "hex" || /[a-f]/.test(lower));
  if (isHex) return lower;
  const isNumber = /^\d{1,39}$/.test(text) && BigInt(text) <= MAX_TRACE_ID;
  return isNumber ? BigInt(text).toString(16).padStart(32, "0") : text;
}
