import { createHash } from "node:crypto";

/** In hex digits. What is as random as an API key is not found again from it. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
