/** JSON that a host sent: its keys and its depth are whatever the host chose. */

/** Whether a value has at most `levels` nested objects and arrays; looks no deeper than that. */
export function hasAtMost(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return parts.every((part) => hasAtMost(levels - 1, part));
}

/**
 * Sets a property under a key that a host chose. `__proto__` becomes a property like any other, which an assignment would
 * not do.
 */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
