import { parseJson, textOf } from "./json.js";
import { completionMessages } from "./messages.js";
import { attributeKeys, firstText, requestPrefixes } from "./semconv.js";
import type { Span } from "./trace.js";

/** A parameter of the request, such as `temperature`, with its value in each of two calls. */
export interface ChangedSetting {
  readonly name: string;
  readonly a: string | undefined;
  readonly b: string | undefined;
}

/** In order of their names' first appearance. */
export function changedSettings(a: Span, b: Span): readonly ChangedSetting[] {
  const [settingsA, settingsB] = [requestSettings(a), requestSettings(b)];
  return [...new Set([...settingsA.keys(), ...settingsB.keys()])]
    .map((name) => ({ name, a: settingsA.get(name), b: settingsB.get(name) }))
    .filter((setting) => setting.a !== setting.b);
}

/** Why the model stopped, such as `stop` or `length`: one reason for each answer it gave. */
export function finishReasons(span: Span): string | undefined {
  const text = firstText(span.attributes, attributeKeys.finishReasons);
  const listed = parseJson(text ?? "");
  const reasons = Array.isArray(listed) ? listed.map(textOf) : [text ?? ofAnswers(span)];
  return reasons.join(", ") || undefined;
}

function ofAnswers(span: Span): string {
  return completionMessages(span)
    .flatMap(({ finishReason }) => finishReason ?? [])
    .join(", ");
}

/** The model and the instructions are compared as such. */
const comparedElsewhere = new Set(["model", "instructions", "system_instruction"]);

function requestSettings({ attributes }: Span): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  for (const prefix of requestPrefixes) {
    for (const [key, value] of Object.entries(attributes)) {
      if (!key.startsWith(prefix)) continue;
      const name = key.slice(prefix.length);
      if (value !== "" && !comparedElsewhere.has(name) && !settings.has(name)) {
        settings.set(name, value);
      }
    }
  }
  return settings;
}
