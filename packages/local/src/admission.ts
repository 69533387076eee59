/**
 * Bytes of exports and uploads that may be on their way to disk at a time: as they came, inflated, and as
 * the rows that are made of them.
 */
export const MAX_WAITING_BYTES = 512 * 1024 * 1024;

/** What is on its way to disk leaves no room for more. */
export class NoRoomError extends Error {
  override readonly name = "NoRoomError";
  override readonly message = "Too much is waiting to be stored; send this again soon.";
}

/**
 * Takes room for so many more bytes.
 *
 * @throws {NoRoomError} when there is none.
 */
export type TakeRoom = (bytes: number) => void;

/** Lets in what there is room for. */
export interface Admission {
  /** Runs what reads and stores a body; the room that it takes is free again at its end. */
  admit<Result>(run: (takeRoom: TakeRoom) => Promise<Result>): Promise<Result>;
}

/** One for all that a process takes in. */
export function createAdmission(): Admission {
  let waitingBytes = 0;

  return {
    async admit(run) {
      let takenBytes = 0;
      try {
        return await run((bytes) => {
          if (waitingBytes + bytes > MAX_WAITING_BYTES) throw new NoRoomError();
          waitingBytes += bytes;
          takenBytes += bytes;
        });
      } finally {
        waitingBytes -= takenBytes;
      }
    },
  };
}
