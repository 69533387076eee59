import { type Change, firstChangedMessage } from "../trace/compare.js";
import { changedSettings, finishReasons } from "../trace/request-settings.js";
import { modelOf } from "../trace/semconv.js";
import { spanInput, spanOutput } from "../trace/span-io.js";
import type { Span } from "../trace/trace.js";
import { clean, excerpt } from "./recorded-text.js";
import { errorText } from "./span-line.js";
import { plural } from "./text.js";

/** What one change of a step was, indented. */
export function changeLines(change: Change, a: Span, b: Span): readonly string[] {
  switch (change) {
    case "model":
      return [`  ${changeText("model", modelOf(a), modelOf(b))}`];
    case "settings":
      return [settingsLine(a, b)];
    case "finish reason":
      return [`  ${changeText("finish reason", finishReasons(a), finishReasons(b))}`];
    case "status":
      return [`  a ${errorText(a) || a.status}; b ${errorText(b) || b.status}`];
    case "input": {
      const changed = firstChangedMessage(a, b);
      if (changed === undefined) return differenceLines("input", spanInput(a), spanInput(b));
      const role = excerpt(changed.b?.role ?? changed.a?.role ?? "", 20);
      return differenceLines(
        `${role} message ${changed.index}`,
        changed.a?.content,
        changed.b?.content,
      );
    }
    case "output":
      return differenceLines(change, spanOutput(a), spanOutput(b));
  }
}

const MAX_VALUE_CHARS = 60;

function changeText(what: string, a: string | undefined, b: string | undefined): string {
  const side = (value = "(none)") => excerpt(value, MAX_VALUE_CHARS);
  return `${what} ${side(a)} → ${side(b)}`;
}

/** A request that offers other tools can differ in hundreds of settings. */
const MAX_SETTINGS = 10;

function settingsLine(a: Span, b: Span): string {
  const changed = changedSettings(a, b);
  const texts = changed
    .slice(0, MAX_SETTINGS)
    .map((setting) => changeText(excerpt(setting.name, MAX_VALUE_CHARS), setting.a, setting.b));
  const more = changed.length - texts.length;
  return `  ${texts.join(", ")}${more > 0 ? `, ${plural(more, "more setting")}` : ""}`;
}

/** Characters before the first difference, and characters of each side. */
const LEAD_CHARS = 30;
const SIDE_CHARS = 160;

/** Both texts from shortly before the place where they part. */
function differenceLines(
  what: string,
  a: string | undefined,
  b: string | undefined,
): readonly string[] {
  const [textA, textB] = [clean(a ?? ""), clean(b ?? "")];
  const from = Math.max(0, sharedPrefixLength(textA, textB) - LEAD_CHARS);
  const side = (text: string) => (from > 0 ? "…" : "") + excerpt(text.slice(from), SIDE_CHARS);
  return [`  ${what} a: ${side(textA) || "(none)"}`, `  ${what} b: ${side(textB) || "(none)"}`];
}

function sharedPrefixLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
