/**
 * Maps with a bounded number of runs at a time, in the order of the items. Callers that share a gate
 * keep to its width here as well, so that one of them cannot fill the queue in front of the others.
 */
export async function mapConcurrent<Item, Result>(
  items: readonly Item[],
  width: number,
  run: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const remaining = items.entries();

  async function work(): Promise<void> {
    for (const [index, item] of remaining) results[index] = await run(item);
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work));
  return results;
}
