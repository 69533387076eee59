/** `npm run bench` runs every benchmark; `npm run bench -- load scale --minutes 10 --spans 10000000` those named. */
import { readdir } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";

// Node 20 reads this file at every start, which takes longer than the start itself.
delete process.env.NODE_EXTRA_CA_CERTS;

const names = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith(".bench.ts"))
  .map((file) => basename(file, ".bench.ts"));
// Options are the benchmarks' own.
const { positionals } = parseArgs({
  options: { spans: { type: "string" }, minutes: { type: "string" } },
  allowPositionals: true,
});
const wanted = positionals.length > 0 ? positionals : names;

const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`No benchmark ${unknown.join(", ")}. There are: ${names.join(", ")}.`);
  process.exitCode = 2;
} else {
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}`);
  for (const name of wanted) await import(`./${name}.bench.ts`);
}
