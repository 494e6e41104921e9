/** Values by dot path (`detail.cuda_version`, `gpus.0.name`) in records that may hold anything. */

/** The value at `keys`, or undefined. Own properties and array indices only. */
export function valueAt(value: unknown, keys: readonly string[]): unknown {
  let current = value;
  for (const key of keys) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Readonly<Record<string, unknown>>)[key];
  }
  return current;
}

/** Every value at `keys`, where a list on the way (or at the end) stands for each of its elements. */
export function valuesAt(value: unknown, keys: readonly string[]): readonly unknown[] {
  if (Array.isArray(value)) {
    const [first, ...rest] = keys;
    if (first !== undefined && /^\d+$/.test(first)) return valuesAt(value[Number(first)], rest);
    return value.flatMap((element) => valuesAt(element, keys));
  }
  const [first, ...rest] = keys;
  if (first === undefined) return [value];
  return valuesAt(valueAt(value, [first]), rest);
}
