/** A refused export. The status decides whether the sender tries again: of these, only 429 and 503 make it. */
export class ExportError extends Error {
  override readonly name = "ExportError";
  readonly status: 400 | 401 | 413 | 415 | 429 | 503;

  constructor(status: ExportError["status"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
