import { readdir, readFile, writeFile } from "node:fs/promises";

/** The folder of the package that a bundled file comes from, nested packages included. */
const PACKAGE_FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

/**
 * Writes the licences of everything that a bundle really holds, as its esbuild metafile tells.
 * A package without a licence text fails the build: it may not be passed on.
 */
export async function writeThirdPartyNotices(metafile, path) {
  const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs)
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file]) => PACKAGE_FOLDER.exec(file)?.[0])
      .filter((folder) => folder !== undefined),
  );
  const notices = await Promise.all([...new Set(bundled)].map(notice));
  await writeFile(path, `${notices.sort().join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
}

async function notice(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence text`);
  return `${name} ${version} (${license})\n\n${(await readFile(`${folder}/${file}`, "utf8")).trim()}`;
}
