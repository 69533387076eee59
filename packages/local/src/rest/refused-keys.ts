import type { RestOptions } from "./routes.js";
import { sha256 } from "./sha256.js";

/** API keys that opened nothing. An SDK that is refused tells nobody, and sends its spans without a token. */
export interface RefusedKeys {
  add(apiKey: string): void;
  /** How many different ones since the start; no more than {@link MAX_REFUSED_KEYS} are told apart. */
  count(): number;
}

/** Past that somebody tries keys, and has been reported often enough. */
export const MAX_REFUSED_KEYS = 1000;

/** Reports each once; keeps hashes only. */
export function createRefusedKeys({
  anonymousProjectId,
  forwarder,
  onWarning,
}: Pick<RestOptions, "anonymousProjectId" | "forwarder" | "onWarning">): RefusedKeys {
  const hashes = new Set<string>();
  const consequence = anonymousProjectId ? "go to the default project" : "are refused";
  const cloud = forwarder && `those of ${forwarder.status().to}, and of: `;
  return {
    add(apiKey) {
      if (apiKey === "") return;
      const hash = sha256(apiKey);
      if (hashes.has(hash) || hashes.size === MAX_REFUSED_KEYS) return;
      hashes.add(hash);
      onWarning(
        `An API key was refused: it opens no project. Reads with it fail; spans sent with it ${consequence}. Keys that do: ${cloud ?? ""}agentops-local projects list`,
      );
    },
    count: () => hashes.size,
  };
}
