import { type Recording, recordedResult } from "./recording.js";
import { isRecord, parseJson } from "./trace/json.js";

export type RequestId = string | number;

/** How a conversation has begun when the server takes it over. */
export interface Opening {
  /** What the server must read: all that was not answered, and the `initialize` that tells of the client. */
  readonly unread: Buffer;
  /** The id of that `initialize`, which must not be answered twice. */
  readonly initializeId: RequestId | undefined;
}

/** When the client has said nothing for so long, the server loads, so that no call waits for it. */
const PAUSE_MS = 100;

/**
 * Answers a client's first questions from the recording, because the server takes three times as long to
 * load as Node to start. Resolves when the client pauses or asks something else.
 */
export function answerOpening(recording: Recording): Promise<Opening> {
  const { stdin, stdout } = process;
  const { hear, openingWith } = createAnswerer(recording);

  return new Promise((resolve) => {
    let pause: NodeJS.Timeout | undefined;
    stdin.on("data", read);
    stdin.once("end", () => clearTimeout(pause));
    // Nobody reads the answers: with nothing left to wait for, the process ends, as the server lets it.
    stdout.on("error", stopReading);

    function read(chunk: Buffer): void {
      clearTimeout(pause);
      const rest = afterAnswered(chunk, hear);
      if (rest.length > 0) handOver(rest);
      else pause = setTimeout(handOver, PAUSE_MS, rest);
    }

    function stopReading(): void {
      clearTimeout(pause);
      stdin.off("data", read);
      stdin.pause();
    }

    function handOver(rest: Buffer): void {
      stopReading();
      resolve(openingWith(rest));
    }
  });
}

function createAnswerer(recording: Recording) {
  const unread: Buffer[] = [];
  let initializeId: RequestId | undefined;

  return {
    /** False where the server must answer before anything that follows is. */
    hear(line: Buffer): boolean {
      const message = parseJson(line.toString());
      if (!isRecord(message) || message.jsonrpc !== "2.0") return false;
      const { id, method, params } = message;
      if (id === undefined) {
        unread.push(line);
        return true;
      }
      if (method === "initialize" && initializeId !== undefined) return false;

      const result = recordedResult(recording, method, params);
      if (!isRequestId(id) || !result) return false;
      process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
      if (method === "initialize") {
        unread.push(line);
        initializeId = id;
      }
      return true;
    },

    openingWith(rest: Buffer): Opening {
      return { unread: Buffer.concat([...unread, rest]), initializeId };
    },
  };
}

/** What is left of a chunk from the first line on that `hear` does not take, or that goes on in the next. */
function afterAnswered(chunk: Buffer, hear: (line: Buffer) => boolean): Buffer {
  let start = 0;
  for (let end = chunk.indexOf("\n") + 1; end > start; end = chunk.indexOf("\n", start) + 1) {
    if (!hear(chunk.subarray(start, end))) break;
    start = end;
  }
  return chunk.subarray(start);
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || Number.isSafeInteger(id);
}
