import { statfs } from "node:fs/promises";
import { StartError } from "../start-error.js";

/** Nothing was stored: the disk has too little left. */
export class DiskFullError extends StartError {
  override readonly name = "DiskFullError";

  constructor(options?: ErrorOptions) {
    super("The disk is full: nothing is stored until there is room on it.", options);
  }
}

/**
 * What spans and uploads leave free, for the engine to merge and remove in: without room it holds a
 * removal until there is some, and with it every insert that comes after.
 */
export const RESERVED_BYTES = 64 * 1024 * 1024;

/** @throws {DiskFullError} when the disk of that folder has less left than that. */
export async function requireRoom(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) throw new DiskFullError();
}
