import { readFile } from "node:fs/promises";

/** A file of `/proc`; empty where there is no `/proc`. */
export async function proc(pid: number | undefined, name: string): Promise<string> {
  return await readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
}

/** Memory that a process holds now; NaN where the system does not tell. */
export async function rssMb(pid: number | undefined): Promise<number> {
  const kb = /VmRSS:\s+(\d+)/.exec(await proc(pid, "status"))?.[1];
  return Number(kb) / 1024;
}
