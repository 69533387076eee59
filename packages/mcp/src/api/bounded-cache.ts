export interface BoundedCache<Value> {
  get(key: string): Value | undefined;
  set(
    key: string,
    value: Value,
    entry?: { readonly weight?: number; readonly ttlMs?: number },
  ): void;
  delete(key: string): void;
  clear(): void;
}

export interface CacheBounds {
  /** The sum of all entries' weights; an entry weighs 1 unless it says otherwise. */
  readonly maxWeight: number;
  readonly ttlMs: number;
  readonly now: () => number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly weight: number;
  readonly expiresAtMs: number;
}

/** Keeps the most recently used entries, in memory only, each for a limited time. */
export function createBoundedCache<Value>(bounds: CacheBounds): BoundedCache<Value> {
  // A Map iterates in insertion order, so the first entry is the least recently used one.
  const entries = new Map<string, Entry<Value>>();
  let totalWeight = 0;

  function remove(key: string): void {
    totalWeight -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  }

  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;

      entries.delete(key);
      if (entry.expiresAtMs <= bounds.now()) {
        totalWeight -= entry.weight;
        return undefined;
      }
      entries.set(key, entry);
      return entry.value;
    },

    set(key, value, { weight = 1, ttlMs = bounds.ttlMs } = {}) {
      remove(key);
      if (weight > bounds.maxWeight) return;

      entries.set(key, { value, weight, expiresAtMs: bounds.now() + ttlMs });
      totalWeight += weight;
      for (const oldest of entries.keys()) {
        if (totalWeight <= bounds.maxWeight) break;
        remove(oldest);
      }
    },

    delete: remove,

    clear() {
      entries.clear();
      totalWeight = 0;
    },
  };
}
