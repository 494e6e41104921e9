/**
 * Yields `change(item)` for each item. It is no generator: a suspended generator holds the last item until the next one,
 * which for a batch of a large fleet is megabytes.
 */
export function mapAsync<From, To>(
  items: AsyncIterable<From>,
  change: (item: From) => To,
): AsyncIterableIterator<To, void> {
  const source = items[Symbol.asyncIterator]();
  const end = async (): Promise<IteratorResult<To, void>> => {
    await source.return?.();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const step = await source.next();
      if (step.done === true) return { done: true, value: undefined };
      try {
        return { done: false, value: change(step.value) };
      } catch (error) {
        await end();
        throw error;
      }
    },
    return: end,
  };
}

/**
 * Yields each batch with `change(item)` in place of each item; the same batch where nothing changes. Where `change` throws,
 * `change(instead(item, error))` stands there: one item must not end the others. Without `instead` the error is thrown.
 */
export function mapEach<Item>(
  batches: AsyncIterable<readonly Item[]>,
  change: (item: Item) => Item,
  instead?: (item: Item, error: unknown) => Item,
): AsyncIterableIterator<readonly Item[], void> {
  return mapAsync(batches, (batch) => {
    let replaced: Item[] | null = null;
    for (const [index, item] of batch.entries()) {
      let changed: Item;
      try {
        changed = change(item);
      } catch (error) {
        if (instead === undefined) throw error;
        changed = change(instead(item, error));
      }
      if (changed === item) continue;
      replaced ??= [...batch];
      replaced[index] = changed;
    }
    return replaced ?? batch;
  });
}
