import type { Database } from "./database.js";

/** A run's printed output, or anything else that a span only refers to. */
export type UploadKind = "log" | "object";

export interface UploadKey {
  readonly kind: UploadKind;
  readonly id: string;
}

export interface Upload extends UploadKey {
  readonly content: Uint8Array;
}

/** Base64, because rows travel as JSON; the codec takes most of the difference back. */
export async function addUpload(
  database: Database,
  projectId: string,
  { kind, id, content }: Upload,
): Promise<void> {
  const content_base64 = Buffer.from(content).toString("base64");
  await database.insert("uploads", [
    { project_id: projectId, kind, id, size: content.length, content_base64 },
  ]);
}

export async function readUpload(
  database: Database,
  projectId: string,
  { kind, id }: UploadKey,
): Promise<Uint8Array | undefined> {
  const rows = await database.read<{ content_base64: string }>(
    `SELECT content_base64 FROM uploads
    WHERE project_id = {projectId:String} AND kind = {kind:String} AND id = {id:String}
    ORDER BY uploaded_at DESC
    LIMIT 1`,
    { projectId, kind, id },
  );
  return rows.map(({ content_base64 }) => Buffer.from(content_base64, "base64"))[0];
}
