import { chmod, readFile, rm } from "node:fs/promises";
import { build } from "esbuild";

const { version, dependencies } = JSON.parse(await readFile("package.json", "utf8"));

await rm("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/cli.ts"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  minify: true,
  external: Object.keys(dependencies).flatMap((name) => [name, `${name}/*`]),
  define: { AGENTOPS_LOCAL_VERSION: JSON.stringify(version) },
  // Bundled CommonJS modules call require, which an ES module has to make for itself.
  banner: {
    js: 'import { createRequire as bundledRequire } from "node:module"; const require = bundledRequire(import.meta.url);',
  },
});

await chmod("dist/cli.js", 0o755);
