import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";

/** What a route answers. Objects are sent as JSON, text and bytes as they are. */
export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly delayMs?: number;
  /** A body of unknown length, made while it is sent; one that never ends stops when nobody reads on. */
  readonly stream?: () => AsyncIterable<string | Uint8Array>;
  /** Breaks the connection instead of answering, or after half of the body. */
  readonly reset?: "at once" | "in the body";
}

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Which of the server's connections it came over: 1 for the first. */
  readonly connection: number;
}

type Script = (request: ReceivedRequest) => Answer;

/** A real HTTP server on loopback whose every answer, and every fault, is written down by the test. */
export interface FaultServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** The methods and paths of all requests so far, in order of arrival. */
  readonly log: readonly string[];
  readonly connectionCount: number;
  readonly openConnectionCount: number;
  readonly inFlight: number;
  readonly mostInFlight: number;
  /** Answers of one route, in order; the last repeats. `*` stands for one path segment; later scripts win. */
  on(route: string, ...answers: readonly (Answer | Script)[]): void;
  count(route: string): number;
}

export async function openFaultServer(): Promise<FaultServer> {
  const scripts = new Map<string, (Answer | Script)[]>();
  const requests: ReceivedRequest[] = [];
  const connections = new WeakMap<Socket, number>();
  let connectionCount = 0;
  let openConnectionCount = 0;
  let inFlight = 0;
  let mostInFlight = 0;

  function nextAnswer(request: ReceivedRequest): Answer {
    const route = [...scripts.keys()].findLast((each) => matches(each, request));
    const answers = scripts.get(route ?? "") ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return typeof answer === "function" ? answer(request) : (answer ?? routeNotFound);
  }

  const server = createServer(async (incoming, outgoing) => {
    inFlight += 1;
    mostInFlight = Math.max(mostInFlight, inFlight);
    outgoing.once("close", () => {
      inFlight -= 1;
    });
    const { method = "", url: path = "", headers } = incoming;
    const connection = connections.get(incoming.socket) ?? Number.NaN;
    const request = { method, path, headers, body: await text(incoming), connection };
    requests.push(request);
    await respond(outgoing, nextAnswer(request));
  });
  server.on("connection", (socket) => {
    connectionCount += 1;
    connections.set(socket, connectionCount);
    openConnectionCount += 1;
    socket.once("close", () => {
      openConnectionCount -= 1;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    get log() {
      return requests.map(({ method, path }) => `${method} ${path}`);
    },
    get connectionCount() {
      return connectionCount;
    },
    get openConnectionCount() {
      return openConnectionCount;
    },
    get inFlight() {
      return inFlight;
    },
    get mostInFlight() {
      return mostInFlight;
    },
    on(route, ...answers) {
      scripts.delete(route);
      scripts.set(route, [...answers]);
    },
    count: (route) => requests.filter((request) => matches(route, request)).length,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** What FastAPI says about a path it does not know. */
export const routeNotFound: Answer = { status: 404, body: { detail: "Not Found" } };

function matches(route: string, { method, path }: ReceivedRequest): boolean {
  const pattern = route.replace(/[.?]/g, "\\$&").replaceAll("*", "[^/?]+");
  return new RegExp(`^${pattern}(\\?.*)?$`).test(`${method} ${path}`);
}

/** Sends an answer, or the fault in its place. */
export async function respond(outgoing: ServerResponse, answer: Answer): Promise<void> {
  const { status = 200, body = "", headers, delayMs, stream, reset } = answer;
  if (delayMs) await delay(delayMs);
  if (reset === "at once") return void outgoing.destroy();
  if (stream) {
    outgoing.writeHead(status, headers);
    // A reader who has had enough is what such a body is for.
    return await pipeline(Readable.from(stream()), outgoing).catch(() => {});
  }

  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  const bytes = Buffer.from(isRaw ? (body as string) : JSON.stringify(body));
  outgoing.writeHead(status, { "content-length": bytes.length, ...headers });
  if (reset !== "in the body") return void outgoing.end(bytes);

  outgoing.write(bytes.subarray(0, bytes.length / 2), () => outgoing.destroy());
}
