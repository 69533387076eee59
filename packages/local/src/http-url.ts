import { z } from "zod";

/** An http(s) URL without credentials: those have settings of their own. A query would end up amid the paths. */
export function httpUrl(rule: string) {
  return z.url({ error: rule, abort: true }).regex(/^https?:\/\/[^@?#]+$/, rule);
}
