/** A place in source code, as a stack trace names it. */
export interface StackFrame {
  readonly file: string;
  readonly line: number;
  /** Undefined at the top of a module, and where the trace does not say. */
  readonly functionName: string | undefined;
}

/**
 * Where an exception left the program's own code: the innermost frame of a Python or JavaScript stack
 * trace that is neither of an installed package nor of the language. Undefined where there is none.
 */
export function innermostOwnFrame(stacktrace: string): StackFrame | undefined {
  const lines = stacktrace.split("\n");
  // Python writes the innermost frame last, and of chained exceptions the one that was raised last.
  const python = lines.flatMap(pythonFrame).findLast(isOwn);
  return python ?? lines.flatMap(javaScriptFrame).find(isOwn);
}

/** The exception that a chain of them began with. */
export interface RootCause {
  /** Its class and message, such as `KeyError: 'customer_id'`. */
  readonly error: string;
  readonly frame: StackFrame | undefined;
}

/** Undefined where an exception was raised neither from another nor while that was handled. */
export function rootCause(stacktrace: string): RootCause | undefined {
  const lines = stacktrace.split("\n").map((line) => line.replace(GROUP_MARGIN, ""));
  return pythonCause(lines) ?? javaScriptCause(lines);
}

/** What Python draws left of the lines of an exception group. */
const GROUP_MARGIN = /^ *\| /;

const PYTHON_LINKS = new Set([
  "The above exception was the direct cause of the following exception:",
  "During handling of the above exception, another exception occurred:",
]);

/** Python writes the first exception first, each with its frames and then, not indented, itself. */
function pythonCause(lines: readonly string[]): RootCause | undefined {
  const end = lines.findIndex((line) => PYTHON_LINKS.has(line.trim()));
  if (end < 0) return undefined;
  const first = lines.slice(0, end);
  const lastFrame = first.findLastIndex((line) => pythonFrame(line).length > 0);
  const error = first.slice(lastFrame + 1).find((line) => /^\S/.test(line));
  return error === undefined ? undefined : { error, frame: innermostOwnFrame(first.join("\n")) };
}

/** As Node.js prints it, and as libraries add it to a stack. */
const JAVASCRIPT_LINK = /^\s*(?:\[cause\]|caused by): /i;

/** JavaScript writes the first exception last, before its frames. */
function javaScriptCause(lines: readonly string[]): RootCause | undefined {
  const start = lines.findLastIndex((line) => JAVASCRIPT_LINK.test(line));
  const error = lines[start]?.replace(JAVASCRIPT_LINK, "");
  if (error === undefined) return undefined;
  return { error, frame: innermostOwnFrame(lines.slice(start).join("\n")) };
}

/** `File "/app/agent.py", line 42, in plan`, with nothing before it: a message may say the same. */
function pythonFrame(text: string): readonly StackFrame[] {
  const [, file, line, name] = /^[\s|+]*File "([^"]+)", line (\d+)(?:, in (.*))?/.exec(text) ?? [];
  if (file === undefined) return [];
  const functionName = name?.trim();
  return [{ file, line: Number(line), functionName: nameOrNone(functionName, "<module>") }];
}

/** `at async plan (file:///app/agent.js:42:7)`, or without a function `at /app/agent.js:42:7` */
function javaScriptFrame(text: string): readonly StackFrame[] {
  const call = text.trim();
  if (!call.startsWith("at ")) return [];
  const open = call.endsWith(")") ? call.lastIndexOf("(") : -1;
  const place = open < 0 ? call.slice("at ".length) : call.slice(open + 1, -1);
  const name = open < 0 ? undefined : call.slice("at ".length, open).trim();

  const [, file, line] = /^(?:async )?(?:file:\/\/)?(.+):(\d+):\d+$/.exec(place) ?? [];
  if (file === undefined) return [];
  const functionName = nameOrNone(name?.replace(/^async /, ""), "Object.<anonymous>");
  return [{ file, line: Number(line), functionName }];
}

function nameOrNone(name: string | undefined, ofModule: string): string | undefined {
  return name === "" || name === ofModule ? undefined : name;
}

const INSTALLED = /[\\/](?:site-packages|dist-packages|node_modules)[\\/]/;
const PYTHON_LIBRARY = /[\\/]lib[\\/]python\d|[\\/]python\d+[\\/]lib[\\/]/i;
/** `<frozen importlib._bootstrap>`, `<anonymous>`, `node:internal/process/task_queues`. */
const NO_FILE = /^(?:<|node:|internal\/)/;

function isOwn({ file }: StackFrame): boolean {
  return ![INSTALLED, PYTHON_LIBRARY, NO_FILE].some((pattern) => pattern.test(file));
}
