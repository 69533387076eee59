import { expect, test } from "vitest";
import { counted, createProgress } from "../src/progress.js";

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

test("a terminal gets one line, redrawn at most five times a second", () => {
  const screen = terminal(true);
  const progress = createProgress(screen);
  for (let spans = 1; spans <= 1000; spans++) progress.show(counted(spans, "span"));
  progress.clear();
  expect(screen.written).toEqual(["\r\u001b[2K1 span", "\r\u001b[2K"]);
});

test("a file or a pipe gets none of it", () => {
  const file = terminal(false);
  const progress = createProgress(file);
  progress.show("1 span");
  progress.clear();
  expect(file.written).toEqual([]);
});
