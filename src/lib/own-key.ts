/**
 * Sets a property under a key that a host chose: `__proto__` too is data and becomes a property like any other, which an
 * assignment would not do.
 */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
