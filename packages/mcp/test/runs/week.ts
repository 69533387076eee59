import { crewRun } from "./crewai.js";
import { nightlyRun } from "./decorators.js";
import { loopingRun } from "./langgraph.js";
import { bookingRun } from "./openai-agents.js";
import { GPT_4O, GPT_4O_MINI, type Run } from "./run.js";

const HOUR_MS = 3_600_000;

/** One week of a small team's agents, in the shapes of four frameworks, up to `nowUnixMs`. */
export function weekOfRuns(nowUnixMs: number): readonly Run[] {
  const ago = (hours: number) => nowUnixMs - hours * HOUR_MS;
  const declined = (amount: number) =>
    `PaymentDeclined: card ending 4242 was declined for ${amount} EUR`;
  return [
    bookingRun({ key: "booking-1", startUnixMs: ago(150), city: "Oslo" }),
    bookingRun({ key: "booking-2", startUnixMs: ago(120), city: "Rome", error: declined(214) }),
    bookingRun({ key: "booking-3", startUnixMs: ago(100), city: "Lima" }),
    bookingRun({ key: "booking-4", startUnixMs: ago(75), city: "Cork", error: declined(99) }),
    bookingRun({ key: "booking-5", startUnixMs: ago(50), city: "Bern" }),
    bookingRun({ key: "booking-6", startUnixMs: ago(26), city: "Riga", error: declined(1_031) }),
    crewRun({
      key: "song-before",
      startUnixMs: ago(30),
      model: GPT_4O,
      instructions: "You write long, rhyming songs of twenty verses.",
      writerTokens: 1_800,
    }),
    crewRun({
      key: "song-after",
      startUnixMs: ago(3),
      model: GPT_4O_MINI,
      instructions: "You write short songs of two verses.",
      writerTokens: 240,
    }),
    loopingRun("bridge", ago(5), 6),
    nightlyRun({ key: "nightly-fine", startUnixMs: ago(34), fileCount: 60 }),
    nightlyRun({ key: "nightly-failed", startUnixMs: ago(10), fileCount: 60, failsAt: 41 }),
  ];
}
