/** Why the program cannot do what it was started for, in words that say what to do about it. */
export class StartError extends Error {
  override readonly name: string = "StartError";
}

/** The code of a failed system call (`EACCES`); of anything else, "unknown reason". */
export function systemCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
}

/** A mistake in flags or environment; the message says how to correct it. */
export class ConfigError extends StartError {
  override readonly name = "ConfigError";
}
