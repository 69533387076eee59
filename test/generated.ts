import { readFile } from "node:fs/promises";
import { expect } from "vitest";

/** A page of the repository. */
export function fileOf(path: string): string {
  return new URL(`../${path}`, import.meta.url).pathname;
}

/** Fails where the part of a page between `<!-- name -->` and `<!-- /name -->` is another; `--update` writes it. */
export async function expectGenerated(path: string, name: string, content: string): Promise<void> {
  const page = await readFile(fileOf(path), "utf8");
  const [before, rest] = page.split(`<!-- ${name} -->`);
  const [, after] = rest?.split(`<!-- /${name} -->`) ?? [];
  await expect(
    `${before}<!-- ${name} -->\n${content}\n<!-- /${name} -->${after}`,
  ).toMatchFileSnapshot(fileOf(path));
}
