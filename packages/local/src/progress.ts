/** Where a person may be watching: `process.stderr`. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A line that says how far a long command is; nothing where nobody watches. */
export interface Progress {
  show(text: string): void;
  /** Takes the line away. */
  clear(): void;
}

const REDRAW_INTERVAL_MS = 200;
/** ANSI: to the start of the line, and erase it. */
const ERASE_LINE = "\r\u001b[2K";

export function createProgress(terminal: Terminal): Progress {
  let drawnAtMs = 0;
  return {
    show(text) {
      if (!terminal.isTTY || Date.now() - drawnAtMs < REDRAW_INTERVAL_MS) return;
      drawnAtMs = Date.now();
      terminal.write(ERASE_LINE + text);
    },
    clear() {
      if (terminal.isTTY) terminal.write(ERASE_LINE);
    },
  };
}

/** `10,000 spans`, `1 line`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}
