/** Whether a value has at most `levels` objects and lists in each other; looks no deeper than that. */
export function hasAtMost(levels: number, value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return parts.every((part) => hasAtMost(levels - 1, part));
}
