import { llmCalls } from "./calls.js";
import { completionMessages, type Message, messageKey, promptMessages } from "./messages.js";
import type { SpanNode, SpanTree } from "./tree.js";

/**
 * How a prompt relates to the conversation so far.
 * `start`: it shares no more than a system message with an earlier call of its agent.
 * `continued`: it only adds to it. `edited`: earlier messages were changed or put in between.
 * `truncated`: earlier messages are gone. `unrecorded`: the span holds no prompt.
 */
export type History = "start" | "continued" | "edited" | "truncated" | "unrecorded";

/** One model call, told as what is new since the call whose conversation it goes on with. */
export interface Turn {
  readonly node: SpanNode;
  /** The call it goes on from, or shares its system message with. */
  readonly previous: SpanNode | undefined;
  readonly history: History;
  readonly prompt: readonly Message[];
  readonly completion: readonly Message[];
  /** Messages of the prompt that neither the previous prompt nor its completion held. */
  readonly newMessages: readonly Message[];
  /** Messages of the prompt that the previous prompt did not hold: the new ones, and its completion. */
  readonly addedMessages: readonly Message[];
  /** Messages of the previous prompt that this one leaves out. */
  readonly droppedCount: number;
}

/**
 * An agent may hold several conversations side by side (parallel tasks); a call is matched against this
 * many of its agent's, most recent first.
 */
export const maxOpenConversations = 32;

/** Every model call of the trace by start time, each conversation told once. */
export function conversationTurns(tree: SpanTree): readonly Turn[] {
  const byAgent = new Map<string | undefined, readonly Conversation[]>();
  const idOf = createMessageIds();
  return llmCalls(tree).map((node) => {
    const prompt = promptMessages(node.span);
    const completion = completionMessages(node.span);
    const open = byAgent.get(node.agent) ?? [];
    const match = bestMatch(prompt.map(idOf), open);
    const turn = tellTurn({ node, prompt, completion }, match);
    if (turn.history !== "unrecorded") {
      const latest = conversationOf(turn, idOf);
      const others = turn.history === "start" ? open : open.filter((it) => it !== match?.earlier);
      byAgent.set(node.agent, [latest, ...others].slice(0, maxOpenConversations));
    }
    return turn;
  });
}

/** What an agent and its model have said to each other so far, as message ids. */
interface Conversation {
  readonly node: SpanNode;
  /** The last prompt, then its completion. */
  readonly ids: readonly number[];
  readonly promptCount: number;
  readonly firstAt: ReadonlyMap<number, number>;
}

/** Of a message in an earlier conversation; undefined for one that is new. */
type Place = number | undefined;

interface Match {
  readonly earlier: Conversation;
  /** By message of the prompt. */
  readonly places: readonly Place[];
}

/** Prompts repeat their messages call after call: each distinct message gets a number, once. */
function createMessageIds(): (message: Message) => number {
  const ids = new Map<string, number>();
  return (message) => {
    const key = messageKey(message);
    const id = ids.get(key) ?? ids.size;
    ids.set(key, id);
    return id;
  };
}

function conversationOf(turn: Turn, idOf: (message: Message) => number): Conversation {
  const ids = [...turn.prompt, ...turn.completion].map(idOf);
  const firstAt = new Map<number, number>();
  for (const [place, id] of ids.entries()) {
    if (!firstAt.has(id)) firstAt.set(id, place);
  }
  return { node: turn.node, ids, promptCount: turn.prompt.length, firstAt };
}

/** The conversation that holds most of the prompt; of several, the most recent. */
function bestMatch(ids: readonly number[], open: readonly Conversation[]): Match | undefined {
  let best: Match | undefined;
  let bestCount = 0;
  for (const earlier of open) {
    const places = placesIn(earlier, ids);
    const count = places.filter((place) => place !== undefined).length;
    if (count <= bestCount) continue;
    best = { earlier, places };
    bestCount = count;
  }
  return best;
}

/** Matches in order: the message at the next place, else the same message further on. */
function placesIn(
  { ids: earlier, firstAt }: Conversation,
  ids: readonly number[],
): readonly Place[] {
  let next = 0;
  return ids.map((id) => {
    const place = earlier[next] === id ? next : firstAt.get(id);
    if (place === undefined || place < next) return undefined;
    next = place + 1;
    return place;
  });
}

function tellTurn(
  call: Pick<Turn, "node" | "prompt" | "completion">,
  match: Match | undefined,
): Turn {
  const { prompt } = call;
  const promptCount = match?.earlier.promptCount ?? 0;
  const isInPrompt = (place: Place) => place !== undefined && place < promptCount;

  // An answer as short as "Ok." occurs in unrelated conversations: only shared prompts make one.
  const found = match?.places ?? [];
  const goesOn = prompt.some(({ role }, i) => isInPrompt(found[i]) && !isSystem(role));
  const places = prompt.map(({ role }, i) => (goesOn || isSystem(role) ? found[i] : undefined));
  const fresh = prompt.length > 0 ? "start" : "unrecorded";
  const missing = goesOn ? promptCount - places.filter(isInPrompt).length : 0;
  return {
    ...call,
    previous: places.some((place) => place !== undefined) ? match?.earlier.node : undefined,
    history: goesOn ? changeOf(places, missing) : fresh,
    newMessages: prompt.filter((_, i) => places[i] === undefined),
    addedMessages: prompt.filter((_, i) => !isInPrompt(places[i])),
    droppedCount: missing,
  };
}

function changeOf(places: readonly Place[], missing: number): History {
  const lastKept = places.findLastIndex((place) => place !== undefined);
  if (places.slice(0, lastKept).includes(undefined)) return "edited";
  return missing > 0 ? "truncated" : "continued";
}

/** OpenAI's reasoning models call the system message `developer`. */
function isSystem(role: string): boolean {
  return role === "system" || role === "developer";
}
