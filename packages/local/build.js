import { chmod, readFile, rm } from "node:fs/promises";
import { build } from "esbuild";
import { writeThirdPartyNotices } from "../../third-party-notices.js";

const { version, dependencies } = JSON.parse(await readFile("package.json", "utf8"));

await rm("dist", { recursive: true, force: true });
const { metafile } = await build({
  metafile: true,
  entryPoints: ["src/cli.ts"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minify: true,
  conditions: ["agentops-source"],
  external: Object.keys(dependencies).flatMap((name) => [name, `${name}/*`]),
  define: { AGENTOPS_LOCAL_VERSION: JSON.stringify(version) },
  // Bundled CommonJS modules call require, which an ES module has to make for itself.
  banner: {
    js: 'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);',
  },
});
await writeThirdPartyNotices(metafile, "dist/THIRD-PARTY-NOTICES.txt");

await chmod("dist/cli.js", 0o755);
