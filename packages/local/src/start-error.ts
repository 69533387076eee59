/** Why the program cannot start, in words that tell the person who started it what to do. */
export class StartError extends Error {
  override readonly name: string = "StartError";
}

/** The code of a failed system call (`EACCES`); of anything else, "unknown reason". */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}
