/** Three-valued logic (Kleene): what holds, what does not, and what is unknown. */

/** Null: unknown. */
export type Truth = boolean | null;

/** False where one is false, else unknown where one is unknown. */
export function every<Item>(items: readonly Item[], truth: (item: Item) => Truth): Truth {
  const negated = some(items, (item) => {
    const each = truth(item);
    return each === null ? null : !each;
  });
  return negated === null ? null : !negated;
}

/** True where one is true, else unknown where one is unknown. */
export function some<Item>(items: Iterable<Item>, truth: (item: Item) => Truth): Truth {
  let result: Truth = false;
  for (const item of items) {
    const each = truth(item);
    if (each === true) return true;
    if (each === null) result = null;
  }
  return result;
}
