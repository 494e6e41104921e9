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
