import { execFileSync } from "node:child_process";
import { join } from "node:path";

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
}

/** Packs a built package and installs the tarball in a folder, as a user gets it from the registry. */
export function installPackage(packageFolder: string, folder: string): Packed {
  const report = JSON.parse(npm(["pack", "--json", "--pack-destination", folder], packageFolder));
  // npm 10 reports a list of packages, npm 12 an object of them.
  const [packed] = Object.values<Packed>(report);
  if (!packed) throw new Error(`npm pack reported nothing for ${packageFolder}`);

  // The prefix, because npm would install into a folder above that has a package.json.
  npm(["install", "--no-save", "--prefix", folder, join(folder, packed.filename)], folder);
  return packed;
}

function npm(args: readonly string[], cwd: string): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
