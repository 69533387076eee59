import { Hono } from "hono";
import { type Admission, NoRoomError, type TakeRoom } from "../admission.js";
import type { Forwarder } from "../forward/forwarder.js";
import { DiskFullError, type Store } from "../store/index.js";
import type { TokenClaims, Tokens } from "../tokens.js";
import { readBody } from "./body.js";
import { type Encoding, encodingOf, fallbackEncoding } from "./encoding.js";
import { ExportError } from "./export-error.js";
import type { ExportRequest } from "./export-request.js";
import { createPricing, type PriceSpans } from "./pricing.js";
import { createTurns } from "./turns.js";

export interface ReceiverOptions {
  readonly store: Pick<Store, "addSpans">;
  readonly tokens: Pick<Tokens, "verify">;
  /** Whose spans those sent without a valid token are; undefined where an export needs one. */
  readonly anonymousProjectId: string | undefined;
  readonly forwarder: Pick<Forwarder, "add"> | undefined;
  /** Told of each export that is stored without a valid token. */
  readonly onAnonymousExport: () => void;
  readonly admission: Admission;
  /** Told of exports that failed through no fault of the sender. */
  readonly onError: (error: unknown) => void;
}

/** OTLP/HTTP 1.x at the paths of the specification. Metrics and logs are taken and dropped. */
export function createReceiver(options: ReceiverOptions): Hono {
  const parts = {
    ...options,
    price: createPricing(),
    turn: createTurns(),
  };
  return new Hono()
    .post("/v1/traces", ({ req }) => receiveTraces(req.raw, parts))
    .post("/v1/metrics", ({ req }) => accept(req.raw))
    .post("/v1/logs", ({ req }) => accept(req.raw));
}

interface ReceiverParts extends ReceiverOptions {
  readonly price: PriceSpans;
  /** Resolves when it is an export's turn to be decoded. */
  readonly turn: () => Promise<void>;
}

/** A 200 says that every span but the rejected ones is on disk. */
async function receiveTraces(request: Request, parts: ReceiverParts): Promise<Response> {
  const encoding = encodingOf(request.headers.get("content-type"));
  try {
    if (!encoding) {
      throw new ExportError(
        415,
        "Content-Type must be application/x-protobuf or application/json.",
      );
    }
    const sender = await senderOf(request, parts);
    const rejectedSpanCount = await parts.admission.admit(async (takeRoom) => {
      const body = await readBody(request, takeRoom);
      await parts.turn();
      const { stored, rejectedSpanCount } = store(parts, sender, decode(encoding, body, takeRoom));
      await keep(parts, async () => {
        await stored;
        await forward(parts, sender, { body, contentType: encoding.contentType });
      });
      return rejectedSpanCount;
    });
    if (sender.isAnonymous) parts.onAnonymousExport();
    return respond(encoding, 200, encoding.encodeResponse(rejectedSpanCount));
  } catch (thrown) {
    const error = thrown instanceof NoRoomError ? new ExportError(429, thrown.message) : thrown;
    if (!(error instanceof ExportError)) throw error;
    const answer = encoding ?? fallbackEncoding;
    return respond(answer, error.status, answer.encodeError(error));
  }
}

interface Sender extends TokenClaims {
  readonly isAnonymous?: boolean;
}

/**
 * The token decides whose spans these are. Like AgentOps' collector, any scheme word will do.
 *
 * Where no token will do as well, one that is not valid here (of AgentOps Cloud, or from before the data
 * folder was emptied) is treated as none: on a 401 exporters drop their spans for good.
 */
async function senderOf(
  request: Request,
  { tokens, anonymousProjectId }: ReceiverOptions,
): Promise<Sender> {
  const anonymous = anonymousProjectId && { projectId: anonymousProjectId, isAnonymous: true };
  const token = request.headers.get("authorization")?.trim().split(/\s+/).at(-1);
  if (!token && anonymous) return anonymous;
  if (!token) throw new ExportError(401, "Send the token of POST /v3/auth/token as Bearer.");
  try {
    return await tokens.verify(token);
  } catch (error) {
    if (anonymous) return anonymous;
    throw new ExportError(401, "The token is not valid here; get one from POST /v3/auth/token.", {
      cause: error,
    });
  }
}

function decode(encoding: Encoding, body: Uint8Array, takeRoom: TakeRoom): ExportRequest {
  try {
    const decoded = encoding.decode(body);
    takeRoom(decoded.rowBytes);
    return decoded;
  } catch (error) {
    if (error instanceof ExportError || error instanceof NoRoomError) throw error;
    const isTooDeep = error instanceof RangeError && error.message.includes("call stack");
    const reason = isTooDeep
      ? "An attribute has lists or maps too deep within one another."
      : "The body is not an OTLP ExportTraceServiceRequest.";
    throw new ExportError(400, reason, { cause: error });
  }
}

/**
 * Not `async`, so that nothing holds what was decoded once it is encoded: the garbage collector would go
 * through it again and again until it is on disk.
 */
function store(
  { price, store }: ReceiverParts,
  { projectId }: TokenClaims,
  { groups, rejectedSpanCount }: ExportRequest,
): { stored: Promise<void>; rejectedSpanCount: number } {
  const stored = price(groups).then((priced) => store.addSpans(projectId, priced));
  return { stored, rejectedSpanCount };
}

async function keep({ onError }: ReceiverOptions, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    onError(error);
    const reason =
      error instanceof DiskFullError ? error.message : "The spans could not be stored.";
    throw new ExportError(503, `${reason} Send them again.`, { cause: error });
  }
}

async function forward(
  { forwarder }: ReceiverOptions,
  { forwardKey }: TokenClaims,
  { body, contentType }: { body: Uint8Array; contentType: string },
): Promise<void> {
  if (!forwardKey) return;
  const headers = { "content-type": contentType };
  await forwarder?.add({
    target: "exporter",
    path: "/v1/traces",
    headers,
    apiKey: forwardKey,
    body,
  });
}

async function accept(request: Request): Promise<Response> {
  await request.body?.cancel();
  const encoding = encodingOf(request.headers.get("content-type")) ?? fallbackEncoding;
  return respond(encoding, 200, encoding.encodeResponse(0));
}

function respond(encoding: Encoding, status: number, body: Uint8Array<ArrayBuffer>): Response {
  const headers = new Headers({ "content-type": encoding.contentType });
  if (status === 429 || status === 503) headers.set("retry-after", String(RETRY_AFTER_SECONDS));
  return new Response(body, { status, headers });
}

/** By then the batch that is being written is written. */
export const RETRY_AFTER_SECONDS = 1;
